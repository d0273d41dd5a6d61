//! Every call of the functions that keep the promise, with every fault that can part a call from its effect.
//!
//! A clean run of each [`Flow`] is recorded: its calls are the cells of the table. Then each cell is played with each
//! fault in an order of its own, many at once. What must hold is counted at the end over all of them.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::time::{Duration, Instant};

use ::tests::shop::{Product, product, wide_png};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;
use tokio::task::{JoinSet, LocalSet};
use tokio::time::sleep;

use crate::call::Call;
use crate::events;
use crate::fault::Fault;
use crate::history::Answered;
use crate::plan::Plan;
use crate::proxy::Proxy;
use crate::quiet::end_dead_leases;
use crate::workload::{Buyer, Town, millis};
use crate::world::{has_left, is_settled, stored, text};

/// What parts a call from its effect, and for how many of the SDK's three attempts.
pub(crate) const FAULTS: [(Fault, usize, &str); 5] = [
    (Fault::KilledBefore, 1, "killed before"),
    (Fault::KilledAfter, 1, "killed after"),
    (Fault::ReplyDropped, 1, "reply dropped"),
    (Fault::ReplyDropped, 3, "every reply dropped"),
    (Fault::Throttled, 3, "throttled"),
];

/// How many sweeps run at the same time.
const SWEEPS: usize = 2;

/// A way of things through the functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Flow {
    /// An order is placed, shipped, and its buyer told.
    Buys,
    /// Something is put into a cart, and the cart is ordered.
    ChecksOut,
    /// An order that ship-order fails at is released.
    CannotShip,
    /// A buyer cancels a pending order.
    Cancels,
    /// An order that never reached its queue is swept up.
    Swept,
    /// An email that never reached its queue is swept up.
    EmailSwept,
    /// The sweep looks at the index.
    Sweeps,
    /// A picture of one of these is uploaded.
    Pictures(&'static str),
    /// An admin approves a product, whose picture is published.
    Approves,
}

impl Flow {
    const ALL: [Self; 11] = [
        Self::Buys,
        Self::ChecksOut,
        Self::CannotShip,
        Self::Cancels,
        Self::Pictures("products"),
        Self::Pictures("categories"),
        Self::Pictures("banners"),
        Self::Approves,
        Self::Swept,
        Self::EmailSwept,
        Self::Sweeps,
    ];

    /// Whether it needs sweeps, which would be noise for the others.
    fn is_swept(self) -> bool {
        matches!(self, Self::Swept | Self::EmailSwept | Self::Sweeps)
    }

    /// The functions whose calls are played in this flow.
    fn functions(self) -> &'static [&'static str] {
        match self {
            Self::Buys => &[
                "create-order",
                "consume-orders",
                "ship-order",
                "send-email",
                "publish-events",
                "hand-over-stock",
            ],
            Self::ChecksOut => &["set-cart-item", "check-out-cart"],
            Self::CannotShip => &["release-order"],
            Self::Cancels => &["cancel-order"],
            Self::Swept | Self::EmailSwept | Self::Sweeps => &["sweep-orders"],
            Self::Pictures("products") => &["index-product-image"],
            Self::Pictures("categories") => &["index-category-image"],
            Self::Pictures(_) => &["index-banner-image"],
            Self::Approves => &["set-approval"],
        }
    }

    /// What never works in this flow, so that it goes the way that it is about.
    fn broken(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::CannotShip => &[("ship-order", "UpdateItem")],
            Self::Cancels | Self::Swept => &[("create-order", "SendMessage")],
            Self::EmailSwept => &[("create-order", "SendMessage"), ("cancel-order", "SendMessage")],
            _ => &[],
        }
    }
}

/// One call of one function in a flow: what it does, and which one of those that do so it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Cell {
    flow: Flow,
    function: String,
    signature: String,
    number: usize,
}

impl Cell {
    fn name(&self) -> String {
        let number = if self.number > 1 { format!(" ({})", self.number) } else { String::new() };
        format!("{} {}{number}", self.function, self.signature)
    }
}

/// One playing of a flow, with one fault or, to record it, none.
#[derive(Debug)]
struct Scene {
    flow: Flow,
    aim: Option<(Cell, Fault, usize)>,
    state: Mutex<SceneState>,
}

#[derive(Debug, Default)]
struct SceneState {
    /// By what its calls are known: ids of its product, its buyer, its order.
    subjects: Vec<String>,
    seen: HashSet<String>,
    counts: HashMap<(String, String), usize>,
    trace: Vec<Cell>,
    lasting: HashMap<String, usize>,
    reached: bool,
    stuck: bool,
}

impl Scene {
    fn new(flow: Flow, aim: Option<(Cell, Fault, usize)>, subjects: Vec<String>) -> Arc<Self> {
        Arc::new(Self { flow, aim, state: Mutex::new(SceneState { subjects, ..SceneState::default() }) })
    }

    fn state(&self) -> std::sync::MutexGuard<'_, SceneState> {
        self.state.lock().expect("no holder of this lock panics")
    }

    fn add_subject(&self, subject: String) {
        self.state().subjects.push(subject);
    }

    fn is_reached(&self) -> bool {
        self.state().reached
    }

    /// What a call meets in this scene, if it is a call of this scene.
    fn fault(&self, call: &Call) -> Option<Fault> {
        let mut state = self.state();
        if !state.subjects.iter().any(|subject| call.names(subject)) {
            return None;
        }
        let puts = call.input["TransactItems"].as_array().into_iter().flatten();
        for order in puts.filter_map(|item| item["Put"]["Item"]["orderId"]["S"].as_str()) {
            state.subjects.push(order.to_owned());
        }
        if let Some(left) = state.lasting.get_mut(&call.id).filter(|left| **left > 0) {
            *left -= 1;
            return self.aim.as_ref().map(|(_, fault, _)| *fault);
        }
        if self.flow.broken().contains(&(call.function(), &call.operation)) {
            return Some(Fault::Throttled);
        }
        if !state.seen.insert(call.id.clone()) {
            return None;
        }
        let key = (call.function().to_owned(), call.signature());
        let count = state.counts.entry(key.clone()).or_default();
        *count += 1;
        let cell = Cell { flow: self.flow, function: key.0, signature: key.1, number: *count };
        state.trace.push(cell.clone());
        let (aim, fault, attempts) = self.aim.as_ref()?;
        if *aim != cell || state.reached {
            return None;
        }
        state.reached = true;
        state.lasting.insert(call.id.clone(), attempts - 1);
        Some(*fault)
    }
}

/// The scenes that are being played.
#[derive(Debug, Default)]
struct Stage(RwLock<Vec<Arc<Scene>>>);

impl Stage {
    fn enter(&self, scene: &Arc<Scene>) {
        self.0.write().expect("no holder of this lock panics").push(Arc::clone(scene));
    }

    fn leave(&self, scene: &Arc<Scene>) {
        self.0.write().expect("no holder of this lock panics").retain(|other| !Arc::ptr_eq(other, scene));
    }
}

impl Plan for Stage {
    fn fault(&self, call: &Call) -> Option<Fault> {
        let scenes = self.0.read().expect("no holder of this lock panics");
        // Every scene sees the call, also after one had it fail.
        scenes.iter().fold(None, |fault, scene| fault.or(scene.fault(call)))
    }
}

/// A buyer and a product that one scene at a time has to itself.
#[derive(Debug, Clone)]
struct Pair {
    buyer: Buyer,
    product: Product,
}

/// What was played.
#[derive(Debug, Clone, Default)]
pub(crate) struct Table {
    /// How many calls each function makes in the flows.
    pub calls: BTreeMap<String, usize>,
    /// How often each function met each fault.
    pub played: BTreeMap<(String, &'static str), usize>,
    /// What was tried and did not come to pass.
    pub missed: Vec<String>,
    /// Orders whose consumer failed, and that did not come again by themselves: the sweep would hide it.
    pub stuck: Vec<String>,
}

/// Plays every call with every fault, and checks nothing: what must hold is counted over all that happened.
pub(crate) async fn play(town: &Town, proxy: &Proxy) -> Table {
    let stage = Arc::new(Stage::default());
    let pairs = pairs(town).await;
    let theatre = Theatre {
        town: town.clone(),
        limit_key: limit_key(town).await,
        stage: Arc::clone(&stage),
        free: Arc::new(Semaphore::new(pairs.len())),
        pairs: Arc::new(Mutex::new(pairs)),
        uploads: Arc::new(Semaphore::new(6)),
    };
    proxy.follow(stage);
    let done = Arc::new(AtomicBool::new(false));
    let leases = tokio::spawn(end_leases_of_the_dead(town.clone(), Arc::clone(&done)));
    let mut table = Table::default();
    for swept in [false, true] {
        let calm = Arc::new(AtomicBool::new(!swept));
        let sweeps: Vec<_> =
            (0..SWEEPS).map(|_| tokio::spawn(sweep(town.clone(), Arc::clone(&calm)))).collect();
        let flows = Flow::ALL.into_iter().filter(|flow| flow.is_swept() == swept);
        // Not each on a thread of its own: some of what they do is bound to this one.
        LocalSet::new().run_until(theatre.play_all(flows, &mut table)).await;
        calm.store(true, Ordering::Relaxed);
        for sweep in sweeps {
            let _ = sweep.await;
        }
    }
    done.store(true, Ordering::Relaxed);
    let _ = leases.await;
    proxy.calm();
    table
}

/// The secret that the keys of the limits' counters are made with.
async fn limit_key(town: &Town) -> String {
    let secret = json!({ "SecretId": town.aws.output("LimitKeyArn") });
    let secret = town.aws.json("secretsmanager", "secretsmanager.GetSecretValue", secret).await;
    secret["SecretString"].as_str().expect("the secret is text").to_owned()
}

/// How the key of a limit's counter names a person: see `shared::guards::rate_limit`.
fn counted_as(limit_key: &str, person: &str) -> String {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(limit_key.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(&(person.len() as u64).to_be_bytes());
    mac.update(person.as_bytes());
    URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
}

async fn pairs(town: &Town) -> Vec<Pair> {
    let mut pairs = Vec::new();
    for (number, buyer) in town.buyers.iter().enumerate() {
        let product = match town.products.get(number) {
            Some((_, product)) if number > 0 => product.clone(),
            _ => town.lists(number % 2, &format!("scene {number}"), 500).await,
        };
        pairs.push(Pair { buyer: buyer.clone(), product });
    }
    pairs
}

async fn sweep(town: Town, calm: Arc<AtomicBool>) {
    while !calm.load(Ordering::Relaxed) {
        town.aws.invoke("sweep-orders", &events::scheduled(Duration::from_mins(3))).await;
        sleep(millis(400)).await;
    }
}

async fn end_leases_of_the_dead(town: Town, done: Arc<AtomicBool>) {
    while !done.load(Ordering::Relaxed) {
        end_dead_leases(&town).await;
        sleep(millis(3_000)).await;
    }
}

#[derive(Debug, Clone)]
struct Theatre {
    town: Town,
    limit_key: String,
    stage: Arc<Stage>,
    free: Arc<Semaphore>,
    pairs: Arc<Mutex<Vec<Pair>>>,
    uploads: Arc<Semaphore>,
}

impl Theatre {
    /// Plays a flow with nothing going wrong, and gives the calls of its functions.
    async fn record(&self, flow: Flow) -> Vec<Cell> {
        let scene = self.perform(flow, None, "recording").await;
        let mut cells = scene.state().trace.clone();
        cells.retain(|cell| flow.functions().contains(&cell.function.as_str()));
        // Several sweeps look at the same orders, and one of them finds each. What happened is told one by one or
        // together, as the stream is read.
        cells.retain(|cell| cell.number == 1 || !(flow.is_swept() || cell.function == "publish-events"));
        assert!(!cells.is_empty(), "{flow:?} made no calls");
        let is_the_counters =
            |cell: &Cell| cell.signature.starts_with("dynamodb.UpdateItem Guards SET expiresAt");
        assert!(flow != Flow::Buys || cells.iter().any(is_the_counters), "nobody knows whose the counter is");
        cells.sort();
        cells.dedup();
        cells
    }

    /// Records each flow and plays what it recorded.
    async fn play_all(&self, flows: impl Iterator<Item = Flow>, table: &mut Table) {
        let mut recording = JoinSet::new();
        for flow in flows {
            let theatre = self.clone();
            recording.spawn_local(async move { theatre.record(flow).await });
        }
        let mut playing = JoinSet::new();
        while let Some(cells) = recording.join_next().await {
            for cell in cells.expect("a flow is recorded") {
                *table.calls.entry(cell.function.clone()).or_default() += 1;
                for fault in FAULTS {
                    playing.spawn_local(self.clone().play(cell.clone(), fault));
                }
            }
        }
        for (cell, name, reached, stuck) in playing.join_all().await {
            if stuck {
                table.stuck.push(format!("{} {name}", cell.name()));
            }
            if reached {
                *table.played.entry((cell.function.clone(), name)).or_default() += 1;
            } else {
                table.missed.push(format!("{} {name}", cell.name()));
            }
        }
    }

    /// Plays one call with one fault, and gives whether the call came to pass.
    async fn play(
        self,
        cell: Cell,
        (fault, attempts, name): (Fault, usize, &'static str),
    ) -> (Cell, &'static str, bool, bool) {
        // What happens to others in the same process may keep a scene from getting so far: then it is played again.
        for turn in 1..=3 {
            let label = format!("{} {name}, turn {turn}", cell.name());
            let aim = Some((cell.clone(), fault, attempts));
            let scene = self.perform(cell.flow, aim, &label).await;
            if scene.is_reached() {
                let stuck = scene.state().stuck;
                return (cell, name, true, stuck);
            }
        }
        (cell, name, false, false)
    }

    async fn perform(&self, flow: Flow, aim: Option<(Cell, Fault, usize)>, label: &str) -> Arc<Scene> {
        match flow {
            Flow::Pictures(kind) => self.pictures(flow, kind, aim).await,
            Flow::Approves => self.approves(flow, aim).await,
            Flow::Sweeps => {
                let scene = Scene::new(flow, aim, vec!["\"IndexName\":\"due\"".to_owned()]);
                self.stage.enter(&scene);
                wait(Duration::from_secs(if scene.aim.is_some() { 30 } else { 4 }), async || {
                    scene.is_reached()
                })
                .await;
                self.stage.leave(&scene);
                scene
            }
            _ => {
                let _free = self.free.acquire().await.expect("nobody closes it");
                let pair =
                    self.pairs.lock().expect("no holder of this lock panics").pop().expect("one is free");
                let scene = self.order(flow, aim, label, &pair).await;
                self.pairs.lock().expect("no holder of this lock panics").insert(0, pair);
                scene
            }
        }
    }

    /// Plays a flow that is about an order.
    async fn order(
        &self,
        flow: Flow,
        aim: Option<(Cell, Fault, usize)>,
        label: &str,
        pair: &Pair,
    ) -> Arc<Scene> {
        let Pair { buyer, product } = pair;
        // The limit on orders knows a person by this alone.
        let counter = counted_as(&self.limit_key, &buyer.id);
        let scene = Scene::new(flow, aim, vec![product.id.clone(), buyer.id.clone(), counter]);
        let key = URL_SAFE_NO_PAD.encode(Sha256::digest(format!("{flow:?} {label}")));
        let lines = vec![(product.id.clone(), 1)];
        self.town.history.note(&key, |purchase| {
            label.clone_into(&mut purchase.label);
            purchase.buyer.clone_from(&buyer.id);
            purchase.lines.clone_from(&lines);
        });
        self.stage.enter(&scene);
        let cart = if flow == Flow::ChecksOut { self.town.fill(&buyer.person, &lines).await } else { None };
        let mut order = None;
        for _ in 0..6 {
            let answered = match &cart {
                Some(cart) => self.town.check_out(&buyer.person, &key, cart).await,
                None => self.town.ask_as(&buyer.person, &key, &lines).await,
            };
            match answered {
                Answered::Placed(placed) => {
                    order = Some(placed);
                    break;
                }
                Answered::Unknown(429) => sleep(millis(3_000)).await,
                Answered::Unknown(_) => sleep(millis(200)).await,
                Answered::Refused(_) => break,
            }
        }
        if let Some(order) = order {
            scene.add_subject(order.clone());
            if matches!(flow, Flow::Cancels | Flow::EmailSwept) {
                for _ in 0..6 {
                    if [200, 409].contains(&self.town.cancel(&buyer.person, &key, &order).await) {
                        break;
                    }
                }
            }
            let patience = Duration::from_secs(if flow == Flow::CannotShip { 60 } else { 25 });
            let is_done = async || self.is_settled(&order).await && has_left(&self.town.aws, &order).await;
            let is_over = async || scene.is_reached() || (scene.aim.is_none() && is_done().await);
            wait(patience, is_over).await;
            // The message comes again when its visibility ends, after four seconds; a stream is read again at once.
            match scene.aim.as_ref().map(|(cell, ..)| cell.function.as_str()) {
                Some("consume-orders") => {
                    wait(Duration::from_secs(40), async || self.is_shipped(&order).await).await;
                    scene.state().stuck = !self.is_shipped(&order).await;
                }
                Some("publish-events" | "hand-over-stock") => {
                    wait(Duration::from_secs(40), async || has_left(&self.town.aws, &order).await).await;
                    scene.state().stuck = !has_left(&self.town.aws, &order).await;
                }
                _ => {}
            }
            // What follows at once should find the buyer still to itself.
            wait(millis(3_000), is_done).await;
        }
        self.stage.leave(&scene);
        scene
    }

    async fn is_settled(&self, order: &str) -> bool {
        is_settled(&self.town.aws, order).await
    }

    async fn is_shipped(&self, order: &str) -> bool {
        text(&stored(&self.town.aws, order).await, "status") == "shipping"
    }

    /// Plays an approval, which its admin asks for until it is answered.
    async fn approves(&self, flow: Flow, aim: Option<(Cell, Fault, usize)>) -> Arc<Scene> {
        let _free = self.uploads.acquire().await.expect("nobody closes it");
        let (town, admin) = (&self.town, self.town.shop.admin().await);
        let seller = &town.sellers[0];
        let listed = seller.lists(product().named("approved")).await;
        assert_eq!(town.shop.upload(&listed.upload_url, "image/png", wide_png()).await, 200);
        seller.own_once(&listed, "its picture waits", |own| own["waitingPicture"].is_object()).await;
        let scene = Scene::new(flow, aim, vec![listed.id.clone()]);
        self.stage.enter(&scene);
        let approval = format!("{}/approval", listed.path());
        let is_answered = async || {
            let answer = admin.put(&approval, &json!({ "approved": true })).await;
            if answer.status == 200 {
                town.history.approved(&listed.id);
            }
            answer.status == 200
        };
        wait(Duration::from_secs(20), is_answered).await;
        self.stage.leave(&scene);
        scene
    }

    /// Plays the way of a picture.
    async fn pictures(
        &self,
        flow: Flow,
        kind: &'static str,
        aim: Option<(Cell, Fault, usize)>,
    ) -> Arc<Scene> {
        let _free = self.uploads.acquire().await.expect("nobody closes it");
        let town = &self.town;
        let admin = town.shop.admin().await;
        let file = json!({ "fileName": "new.png", "fileType": "image/png" });
        let (url, owner) = match kind {
            "products" => {
                let listed = town.sellers[0].lists(product().named("pictured")).await;
                (listed.upload_url, listed.id)
            }
            "categories" => {
                let name = ::tests::shop::unique("pictured");
                let mut body = file;
                body["categoryName"] = json!(name);
                let asked = admin.post("/categories/upload-url", &body).await.is(201);
                (asked["uploadUrl"].as_str().expect("a URL").to_owned(), URL_SAFE_NO_PAD.encode(name))
            }
            _ => {
                let asked = admin.post("/banners/upload-url", &file).await.is(201);
                let url = asked["uploadURL"].as_str().expect("a URL").to_owned();
                let owner = url.split_once("/uploads/banners/").and_then(|(_, rest)| rest.split('/').next());
                let owner = owner.expect("a banner's id").to_owned();
                (url, owner)
            }
        };
        let mut subjects = vec![owner.clone()];
        if kind == "categories" {
            let name = URL_SAFE_NO_PAD.decode(&owner).expect("a name");
            subjects.push(String::from_utf8(name).expect("a name"));
        }
        let scene = Scene::new(flow, aim, subjects);
        self.stage.enter(&scene);
        town.history.pictured(&owner);
        assert_eq!(town.shop.upload(&url, "image/png", wide_png()).await, 200);
        let is_over = async || {
            scene.is_reached()
                || scene.aim.is_none()
                    && town.aws.keys_under(&format!("uploads/{kind}/{owner}/")).await.is_empty()
        };
        wait(Duration::from_secs(20), is_over).await;
        sleep(millis(500)).await;
        self.stage.leave(&scene);
        scene
    }
}

async fn wait(most: Duration, is_over: impl AsyncFn() -> bool) {
    let deadline = Instant::now() + most;
    while !is_over().await && Instant::now() < deadline {
        sleep(millis(150)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::tests::call;

    fn send(id: &str, order: &str) -> Call {
        let body = json!({ "MessageBody": format!("{{\"orderId\":\"{order}\"}}") }).to_string();
        Call { id: id.into(), ..call("sqs", "AmazonSQS.SendMessage", &body) }
    }

    fn cell(number: usize) -> Cell {
        Cell {
            flow: Flow::Buys,
            function: "create-order".into(),
            signature: "sqs.SendMessage".into(),
            number,
        }
    }

    #[test]
    fn a_fault_meets_the_call_that_it_aims_at_and_no_other() {
        let aim = Some((cell(2), Fault::Throttled, 2));
        let scene = Scene::new(Flow::Buys, aim, vec!["order-1".into()]);
        let faults = [
            ("a", "order-1"),
            ("b", "order-2"),
            ("c", "order-1"),
            ("c", "order-1"),
            ("c", "order-1"),
            ("d", "order-1"),
        ]
        .map(|(id, order)| scene.fault(&send(id, order)));
        assert_eq!(faults, [None, None, Some(Fault::Throttled), Some(Fault::Throttled), None, None]);
        assert!(scene.is_reached());
    }

    #[test]
    fn a_buyer_is_counted_as_the_functions_count_them() {
        assert_eq!(counted_as("a key", "ann"), "eIoMSgFr0WNKpc8de0xZH_8OQsQYgWthPYaZfhK0GJY");
    }

    #[test]
    fn a_scene_learns_the_order_that_its_product_is_in() {
        let scene = Scene::new(Flow::Buys, None, vec!["product-1".into()]);
        let body =
            r#"{"TransactItems":[{"Put":{"Item":{"orderId":{"S":"order-1"},"x":{"S":"product-1"}}}}]}"#;
        scene.fault(&call("dynamodb", "DynamoDB_20120810.TransactWriteItems", body));
        scene.fault(&send("later", "order-1"));
        assert_eq!(scene.state().trace.last(), Some(&cell(1)));
    }
}
