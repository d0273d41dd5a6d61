//! Every call of the functions that keep the promise, with every fault that can part a call from its effect.
//!
//! Clean runs of each [`Flow`] are recorded: their calls are the cells of the table. Then each cell is played with its
//! faults, each in an order of its own, many at once. What must hold is counted at the end over all of them. Beside
//! them accounts end, each under one fault for all of its calls: see [`crate::leaving`].

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::time::{Duration, Instant};

use ::tests::aws::Aws;
use ::tests::shop::{BLUE_PNG, NewProduct, Person, Product, RED_PNG, product, unique, wide_png};
use ::tests::socket::{self, Socket};
use ::tests::wait::at_once;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;
use tokio::task::{JoinSet, LocalSet};
use tokio::time::sleep;

use crate::call::{Call, ids_of_stripes};
use crate::cards::{Holder, cart_id, order_of};
use crate::draws::Draws;
use crate::events;
use crate::fault::Fault;
use crate::history::{Answered, Guest, Purchase};
use crate::inboxes::is_told;
use crate::leaving::{self, Gauntlet};
use crate::plan::Plan;
use crate::proxy::Proxy;
use crate::quiet::end_dead_leases;
use crate::receiver::Receiver;
use crate::reviews::{Act, is_counted, is_recorded};
use crate::texts;
use crate::workload::{Buyer, Town, millis};
use crate::world::{awaits, has_left, is_settled, number, stored, text};

/// What parts a call from its effect, and for how many of the SDK's three attempts.
pub(crate) const FAULTS: [(Fault, usize, &str); 5] = [
    (Fault::KilledBefore, 1, "killed before"),
    (Fault::KilledAfter, 1, "killed after"),
    (Fault::ReplyDropped, 1, "reply dropped"),
    (Fault::ReplyDropped, 3, "every reply dropped"),
    (Fault::Throttled, 3, "throttled"),
];

/// Of [`FAULTS`], those that each run plays with each call; of the others one, in turns by the seed.
const ALWAYS: usize = 2;

/// How long what a consumer failed at may take to come again, while others fail at the same stream on a slow machine
/// that runs all other tests. No sweep hides it meanwhile.
const COMES_AGAIN: Duration = Duration::from_mins(2);

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
    /// The only seller of an order that waits for people does not send it.
    Refuses,
    /// An order that never reached its queue is swept up.
    Swept,
    /// An email that never reached its queue is swept up.
    EmailSwept,
    /// The sweep looks at the index.
    Sweeps,
    /// A picture of one of these is uploaded.
    Pictures(&'static str),
    /// An admin approves a product, whose two pictures are published.
    Approves,
    /// An admin turns a product down, of which its seller is told in writing.
    TurnsDown,
    /// What was approved is found, and by its store's new name.
    Indexes,
    /// A store is published and closed.
    ClosesStore,
    /// A seller adds a picture, puts another one first, and deletes the one that was.
    ChangesPictures,
    /// A cart is ordered by card and paid, which Stripe tells.
    PaysByCard,
    /// The same, and Stripe tells nothing: its buyer comes back from the page.
    ComesBack,
    /// The page to pay on goes by, which Stripe tells.
    PageGoesBy,
    /// It was paid, nobody has told so, and its time to pay is over.
    PaidUnheard,
    /// Nobody has paid, and its time to pay is over.
    NobodyPays,
    /// The same, which the sweep finds.
    HoldSwept,
    /// Its buyer lets the page go by and asks for another one.
    PaysAgain,
    /// A buyer cancels an order that is paid.
    CancelsPaid,
    /// The only seller of an order that is paid does not send it.
    RefusesPaid,
    /// An order that is paid and that ship-order fails at is released.
    CannotShipPaid,
    /// An admin gives a part of the money back.
    GivesBack,
    /// The same, once more after somebody has tried it and died.
    RefundedAgain,
    /// The same, and it never reached its queue.
    RefundSwept,
    /// Somebody without an account orders by card, and somebody with one claims the order.
    GuestPays,
    /// A buyer says something of a product, which is changed, answered, hidden, shown and deleted.
    Reviews,
    /// An endpoint is told of an event.
    Tells,
    /// Somebody opens a socket, is told of something by it, and closes it.
    Listens,
    /// What somebody says of a product counts for its store.
    RatesStore,
    /// A code goes to a telephone by text.
    Texts,
}

impl Flow {
    const ALL: [Self; 36] = [
        Self::Buys,
        Self::ChecksOut,
        Self::CannotShip,
        Self::Cancels,
        Self::Refuses,
        Self::Pictures("products"),
        Self::Pictures("categories"),
        Self::Pictures("banners"),
        Self::Pictures("stores"),
        Self::Approves,
        Self::TurnsDown,
        Self::Indexes,
        Self::ClosesStore,
        Self::ChangesPictures,
        Self::PaysByCard,
        Self::ComesBack,
        Self::PageGoesBy,
        Self::PaidUnheard,
        Self::NobodyPays,
        Self::PaysAgain,
        Self::CancelsPaid,
        Self::RefusesPaid,
        Self::CannotShipPaid,
        Self::GivesBack,
        Self::RefundedAgain,
        Self::GuestPays,
        Self::Reviews,
        Self::Tells,
        Self::Listens,
        Self::RatesStore,
        Self::Texts,
        Self::HoldSwept,
        Self::RefundSwept,
        Self::Swept,
        Self::EmailSwept,
        Self::Sweeps,
    ];

    /// Whether it needs sweeps, which would be noise for the others.
    fn is_swept(self) -> bool {
        matches!(self, Self::Swept | Self::EmailSwept | Self::Sweeps | Self::HoldSwept | Self::RefundSwept)
    }

    /// Whether its order is paid by card.
    fn is_by_card(self) -> bool {
        match self {
            Self::PaysByCard
            | Self::ComesBack
            | Self::PageGoesBy
            | Self::PaidUnheard
            | Self::NobodyPays
            | Self::HoldSwept
            | Self::PaysAgain
            | Self::CancelsPaid
            | Self::RefusesPaid
            | Self::CannotShipPaid
            | Self::GivesBack
            | Self::RefundedAgain
            | Self::RefundSwept
            | Self::GuestPays => true,
            Self::Buys
            | Self::ChecksOut
            | Self::CannotShip
            | Self::Cancels
            | Self::Refuses
            | Self::Swept
            | Self::EmailSwept
            | Self::Sweeps
            | Self::Pictures(_)
            | Self::Approves
            | Self::TurnsDown
            | Self::Indexes
            | Self::ChangesPictures
            | Self::ClosesStore
            | Self::Reviews
            | Self::Tells
            | Self::Listens
            | Self::RatesStore
            | Self::Texts => false,
        }
    }

    /// How long it may take until the call is made that is played. A sweep that dies leaves the rest to a later one,
    /// and of all that wait for sweeps each may have one die, on a slow machine one in five seconds.
    fn patience(self) -> Duration {
        match self {
            Self::CannotShip | Self::CannotShipPaid => Duration::from_mins(1),
            _ if self.is_swept() => Duration::from_mins(4),
            _ => Duration::from_secs(25),
        }
    }

    /// Whether Stripe tells in it what happens there; in the others it is to be known without.
    fn is_told(self) -> bool {
        matches!(self, Self::PaysByCard | Self::PageGoesBy | Self::CannotShipPaid)
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
                "record-purchases",
                "write-inbox",
            ],
            Self::ChecksOut => &["set-cart-item", "check-out-cart"],
            Self::CannotShip | Self::CannotShipPaid => &["release-order"],
            Self::Cancels => &["cancel-order"],
            Self::Refuses | Self::RefusesPaid => &["set-parcel-status"],
            Self::Swept | Self::EmailSwept | Self::HoldSwept => &["sweep-orders"],
            Self::Sweeps => &["sweep-orders", "sweep-payments"],
            Self::PaysByCard => &["check-out-cart", "receive-stripe-event"],
            Self::ComesBack => &["refresh-payment"],
            Self::PageGoesBy => &["receive-stripe-event"],
            Self::PaidUnheard | Self::NobodyPays => &["settle-payment"],
            Self::PaysAgain => &["start-payment"],
            Self::CancelsPaid => &["cancel-order", "send-refund"],
            Self::GivesBack => &["refund-payment"],
            Self::RefundedAgain => &["send-refund"],
            Self::RefundSwept => &["sweep-payments"],
            Self::GuestPays => &["check-out-cart", "claim-order"],
            Self::Pictures("products") => &["index-product-image"],
            Self::Pictures("categories") => &["index-category-image"],
            Self::Pictures("stores") => &["index-store-image"],
            Self::Pictures(_) => &["index-banner-image"],
            Self::Approves => &["set-approval"],
            Self::TurnsDown => &["queue-messages"],
            Self::Reviews => &[
                "create-review",
                "update-review",
                "reply-to-review",
                "set-review-visibility",
                "delete-review",
            ],
            Self::RatesStore => &["rate-stores"],
            Self::Texts => &["send-text"],
            Self::Indexes => &["index-products"],
            Self::Tells => &["queue-webhooks", "send-webhook"],
            Self::Listens => {
                &["create-socket-ticket", "connect-socket", "push-notification", "disconnect-socket"]
            }
            Self::ClosesStore => &["set-store-status"],
            Self::ChangesPictures => &["add-product-picture", "set-picture-order", "delete-product-picture"],
        }
    }

    /// What never works in this flow, so that it goes the way that it is about: a function, and a part of its calls'
    /// signatures.
    fn broken(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::CannotShip | Self::CannotShipPaid => &[("ship-order", "UpdateItem")],
            // It is paid then, and does not ship.
            Self::CancelsPaid | Self::RefusesPaid => &[("refresh-payment", "SendMessage")],
            Self::RefundedAgain | Self::RefundSwept => &[("refund-payment", "SendMessage")],
            Self::Cancels | Self::Refuses | Self::Swept => &[("create-order", "SendMessage")],
            // What a sweep finds before its buyer cancels it would ship.
            Self::EmailSwept => &[
                ("create-order", "SendMessage"),
                ("cancel-order", "SendMessage"),
                ("sweep-orders", "SendMessage Orders"),
            ],
            _ => &[],
        }
    }

    /// Whether a call is played in this flow, after that of its functions was recorded.
    fn plays(self, cell: &Cell) -> bool {
        let is_its = self.functions().contains(&cell.function.as_str());
        // Several sweeps look at the same orders, and one of them finds each. What happened is told one by one or
        // together, as the stream is read, and Stripe tells of a payment by two events at once. Two things that are
        // told to one person meet in the inbox, and one of them is tried again. Of two messages of one text one finds
        // the other at it.
        let by_chance = [
            "sweep-orders",
            "sweep-payments",
            "publish-events",
            "receive-stripe-event",
            "index-products",
            "write-inbox",
            "send-text",
        ];
        let is_certain = cell.number == 1 || !by_chance.contains(&cell.function.as_str());
        // The rest of these is played in other flows. What else a sweep sends was due by chance: an order that was
        // swept up is soon owed an email.
        let is_new = match self {
            Self::HoldSwept => cell.signature.ends_with(" Payments"),
            Self::RefundedAgain => cell.signature.contains(".GET "),
            Self::Swept | Self::RefundSwept => cell.signature != "sqs.SendMessage Emails",
            // Whether a change is the one that makes a compaction due is not for it to say.
            Self::Indexes => !cell.signature.starts_with("sqs."),
            _ => true,
        };
        is_its && is_certain && is_new
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

    /// Whether it counts for a limit.
    fn is_the_counters(&self) -> bool {
        self.signature.starts_with("dynamodb.UpdateItem Guards SET expiresAt")
    }

    /// Whether it changes nothing.
    fn is_a_read(&self) -> bool {
        let reads = ["GetItem", "BatchGetItem", "Query", "GET"];
        let operation = self.signature.split(['.', ' ']).nth(1).unwrap_or_default();
        reads.contains(&operation)
    }

    /// Whether it is the same in each flow, and is played in the first one alone: it reads, or counts for a limit.
    fn is_the_same_everywhere(&self) -> bool {
        self.is_a_read() || self.is_the_counters()
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

    fn learn<'a>(&self, subjects: impl IntoIterator<Item = &'a str>) {
        self.state().learn(subjects.into_iter().filter(|subject| !subject.is_empty()));
    }

    fn is_reached(&self) -> bool {
        self.state().reached
    }

    /// Learns what Stripe calls a thing that is this scene's. What a list has may be another's.
    fn heard(&self, call: &Call, answer: &str) {
        let mut state = self.state();
        if state.subjects.iter().any(|subject| call.names(subject)) {
            let thing: Value = answer.parse().unwrap_or_default();
            let names = [thing["id"].as_str(), thing["payment_intent"].as_str()];
            state.learn(names.into_iter().flatten());
        }
    }

    /// What a call meets in this scene, if it is a call of this scene.
    fn fault(&self, call: &Call) -> Option<Fault> {
        let mut state = self.state();
        // What the index is made of names no product: its calls are this scene's while it has the stage to itself.
        let is_the_indexers = self.flow == Flow::Indexes && call.function() == "index-products";
        if !(is_the_indexers || state.subjects.iter().any(|subject| call.names(subject))) {
            return None;
        }
        let puts = call.input["TransactItems"].as_array().into_iter().flatten();
        let names = puts.flat_map(|put| OWN.iter().map(move |name| &put["Put"]["Item"][name]["S"]));
        let names = names.chain([&call.input["Item"]["webhookId"]["S"]]);
        let learnt: Vec<_> = names.filter_map(Value::as_str).chain(ids_of_stripes(&call.body)).collect();
        state.learn(learnt);
        if let Some(left) = state.lasting.get_mut(&call.id).filter(|left| **left > 0) {
            *left -= 1;
            return self.aim.as_ref().map(|(_, fault, _)| *fault);
        }
        let is_broken =
            |(function, part): &(&str, &str)| call.function() == *function && call.signature().contains(part);
        if self.flow.broken().iter().any(is_broken) {
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

impl SceneState {
    fn learn<'a>(&mut self, subjects: impl IntoIterator<Item = &'a str>) {
        for subject in subjects {
            if self.subjects.iter().all(|known| known != subject) {
                self.subjects.push(subject.to_owned());
            }
        }
    }
}

/// What an item that is put is known by from then on.
const OWN: [&str; 4] = ["connectionId", "orderId", "paymentId", "refundId"];

/// The scenes that are being played, and the accounts that end.
#[derive(Debug, Default)]
pub(crate) struct Stage {
    scenes: RwLock<Vec<Arc<Scene>>>,
    gauntlets: RwLock<Vec<Arc<Gauntlet>>>,
}

impl Stage {
    fn enter(&self, scene: &Arc<Scene>) {
        self.scenes.write().expect("no holder of this lock panics").push(Arc::clone(scene));
    }

    fn leave(&self, scene: &Arc<Scene>) {
        let mut scenes = self.scenes.write().expect("no holder of this lock panics");
        scenes.retain(|other| !Arc::ptr_eq(other, scene));
    }

    /// From now on an account ends.
    pub(crate) fn run(&self, gauntlet: &Arc<Gauntlet>) {
        self.gauntlets.write().expect("no holder of this lock panics").push(Arc::clone(gauntlet));
    }

    /// It has.
    pub(crate) fn end(&self, gauntlet: &Arc<Gauntlet>) {
        let mut gauntlets = self.gauntlets.write().expect("no holder of this lock panics");
        gauntlets.retain(|other| !Arc::ptr_eq(other, gauntlet));
    }
}

impl Plan for Stage {
    fn fault(&self, call: &Call) -> Option<Fault> {
        let scenes = self.scenes.read().expect("no holder of this lock panics");
        let gauntlets = self.gauntlets.read().expect("no holder of this lock panics");
        // Every scene sees the call, also after one had it fail.
        let fault = scenes.iter().fold(None, |fault, scene| fault.or(scene.fault(call)));
        gauntlets.iter().fold(fault, |fault, gauntlet| fault.or(gauntlet.fault(call)))
    }

    fn heard(&self, call: &Call, answer: &str) {
        for scene in self.scenes.read().expect("no holder of this lock panics").iter() {
            scene.heard(call, answer);
        }
    }
}

/// A buyer, a product and a store that one scene at a time has to itself.
#[derive(Debug, Clone)]
struct Pair {
    buyer: Buyer,
    product: Product,
    /// A store of the buyer's, in which there is nothing.
    store: String,
}

/// What was played.
#[derive(Debug, Clone, Default)]
pub(crate) struct Table {
    /// How many calls each function makes in the flows.
    pub calls: BTreeMap<String, usize>,
    /// How many pairs of a call and a fault there are to play.
    pub pairs: usize,
    /// How often each function met each fault.
    pub played: BTreeMap<(String, &'static str), usize>,
    /// What was tried and did not come to pass.
    pub missed: Vec<String>,
    /// What is the same in each flow and is played already: the function, the call, and which one of those it is.
    known: HashSet<(String, String, usize)>,
    /// Orders whose consumer failed, and that did not come again by themselves: the sweep would hide it.
    pub stuck: Vec<String>,
}

/// Which faults each call is played with.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Choice {
    /// All of [`FAULTS`].
    All,
    /// Those that kill, and one of the others by this seed.
    Turns(u64),
}

impl Choice {
    fn of(self, cell: &Cell) -> Vec<(Fault, usize, &'static str)> {
        let mut faults = self.drawn_for(&format!("{:?} {}", cell.flow, cell.name()));
        // Whoever dies after it has read leaves what whoever dies before it leaves.
        faults.retain(|(fault, ..)| !(cell.is_a_read() && *fault == Fault::KilledAfter));
        faults
    }

    fn drawn_for(self, purpose: &str) -> Vec<(Fault, usize, &'static str)> {
        let (always, others) = FAULTS.split_at(ALWAYS);
        match self {
            Self::All => FAULTS.to_vec(),
            Self::Turns(seed) => {
                let drawn = Draws::new(seed, purpose).below(others.len());
                [always, &others[drawn..=drawn]].concat()
            }
        }
    }
}

impl Table {
    /// Adds the deletions of accounts, each of which had all of its calls meet one fault.
    fn add(&mut self, runs: &[leaving::Run]) {
        for run in runs {
            for (function, met) in run.calls() {
                self.pairs += met;
                *self.played.entry((function.to_owned(), run.fault)).or_default() += met;
                let calls = self.calls.entry(function.to_owned()).or_default();
                *calls = met.max(*calls);
            }
            self.missed.extend(run.missed());
        }
    }
}

/// Plays every call with its faults, and checks nothing: what must hold is counted over all that happened.
pub(crate) async fn play(town: &Town, proxy: &Proxy, choice: Choice) -> Table {
    let stage = Arc::new(Stage::default());
    let pairs = pairs(town).await;
    // What is told of their products is no scene's.
    sleep(millis(2_000)).await;
    town.aws.quiet().await;
    let theatre = Theatre {
        town: town.clone(),
        choice,
        limit_key: limit_key(town).await,
        stage: Arc::clone(&stage),
        free: Arc::new(Semaphore::new(pairs.len())),
        pairs: Arc::new(Mutex::new(pairs)),
        uploads: Arc::new(Semaphore::new(6)),
        indexing: Arc::new(Semaphore::new(1)),
        telling: Arc::new(Semaphore::new(RARE.len())),
        rare: Arc::new(Mutex::new(RARE.to_vec())),
    };
    proxy.follow(Arc::<Stage>::clone(&stage));
    let ends = tokio::spawn(leaving::run(town.clone(), stage, choice.drawn_for("the end of an account")));
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
    table.add(&ends.await.expect("accounts end"));
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

/// The key of a scene's purchase, in letters and digits alone: its parcel is given it as its number.
fn key_of(flow: Flow, label: &str) -> String {
    let digest = Sha256::digest(format!("{flow:?} {label}"));
    digest.iter().take(16).fold(String::new(), |key, byte| format!("{key}{byte:02x}"))
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
    let pair = |number: usize| {
        let town = town.clone();
        async move {
            let name = format!("scene {number}");
            // Half of the orders go through the gate of a store.
            let product = match number % 2 {
                0 => town.lists(0, town.of_the_store(&name, 500)).await,
                seller => town.lists(seller, product().named(&name).stock(500)).await,
            };
            let buyer = town.buyers[number].clone();
            let store = buyer.person.post("/stores", &json!({ "name": unique("Scene") })).await.is(201);
            Pair { buyer, product, store: store["id"].as_str().expect("an id").to_owned() }
        }
    };
    at_once(town.buyers.len(), pair).await
}

async fn sweep(town: Town, calm: Arc<AtomicBool>) {
    while !calm.load(Ordering::Relaxed) {
        for function in ["sweep-orders", "sweep-payments"] {
            town.aws.invoke(function, &events::scheduled(Duration::from_mins(3))).await;
        }
        sleep(millis(400)).await;
    }
}

async fn end_leases_of_the_dead(town: Town, done: Arc<AtomicBool>) {
    while !done.load(Ordering::Relaxed) {
        end_dead_leases(&town, "").await;
        sleep(millis(3_000)).await;
    }
}

#[derive(Debug, Clone)]
struct Theatre {
    town: Town,
    choice: Choice,
    limit_key: String,
    stage: Arc<Stage>,
    free: Arc<Semaphore>,
    pairs: Arc<Mutex<Vec<Pair>>>,
    uploads: Arc<Semaphore>,
    indexing: Arc<Semaphore>,
    telling: Arc<Semaphore>,
    /// Types of events that no scene has: an endpoint that wants one is told of nothing else.
    rare: Arc<Mutex<Vec<&'static str>>>,
}

/// Types of events that nothing in a run causes.
const RARE: [&str; 3] = ["user.password-changed", "user.profile-changed", "user.role-changed"];

impl Theatre {
    /// Plays a flow twice with nothing going wrong, and gives the calls of its functions. What one of them alone made
    /// came about by chance, such as a second try after a conflict, and could be waited for in vain.
    async fn record(&self, flow: Flow) -> Vec<Cell> {
        let (scene, another) =
            tokio::join!(self.perform(flow, None, "recording"), self.perform(flow, None, "recording again"));
        let mut cells = scene.state().trace.clone();
        let again = another.state().trace.clone();
        cells.retain(|cell| flow.plays(cell) && again.contains(cell));
        for function in flow.functions() {
            assert!(
                cells.iter().any(|cell| cell.function == *function),
                "{function} made no calls in {flow:?}"
            );
        }
        let counts = cells.iter().any(Cell::is_the_counters);
        assert!(flow != Flow::Buys || counts, "nobody knows whose the counter is");
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
                let own = (cell.function.clone(), cell.signature.clone(), cell.number);
                if cell.is_the_same_everywhere() && !table.known.insert(own) {
                    continue;
                }
                *table.calls.entry(cell.function.clone()).or_default() += 1;
                let faults = self.choice.of(&cell);
                table.pairs += faults.len();
                for fault in faults {
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
                table.missed.push(format!("{} {name}, in {:?}", cell.name(), cell.flow));
            }
        }
    }

    /// Plays one call with one fault, and gives whether the call came to pass.
    async fn play(
        self,
        cell: Cell,
        (fault, attempts, name): (Fault, usize, &'static str),
    ) -> (Cell, &'static str, bool, bool) {
        // What happens to others in the same process may keep a scene from getting so far, and a call that is a second
        // try happens only where the first met somebody: then it is played again.
        for turn in 1..=8 {
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
            Flow::TurnsDown => self.turns_down(flow, aim).await,
            Flow::Indexes => self.indexes(flow, aim).await,
            Flow::Tells => self.tells(flow, aim).await,
            Flow::Listens => self.listens(flow, aim).await,
            Flow::ChangesPictures => self.changes_pictures(flow, aim).await,
            Flow::Sweeps => {
                let scene = Scene::new(flow, aim, vec!["\"IndexName\":\"due\"".to_owned()]);
                self.stage.enter(&scene);
                if scene.aim.is_some() {
                    wait(Duration::from_secs(30), async || scene.is_reached()).await;
                } else {
                    // Some sweeps of each, however slow the machine is.
                    sleep(Duration::from_secs(6)).await;
                    let has_swept =
                        |function: &&str| scene.state().trace.iter().any(|cell| cell.function == **function);
                    wait(Duration::from_secs(30), async || flow.functions().iter().all(has_swept)).await;
                }
                self.stage.leave(&scene);
                scene
            }
            _ => {
                let _free = self.free.acquire().await.expect("nobody closes it");
                let pair = self.take_pair();
                let scene = match flow {
                    Flow::Reviews => self.reviews(flow, aim, label, &pair).await,
                    Flow::RatesStore => self.rates(flow, aim, label, &pair).await,
                    Flow::ClosesStore => self.closes(flow, aim, &pair).await,
                    Flow::Texts => self.texts(flow, aim, &pair).await,
                    _ if flow.is_by_card() => self.by_card(flow, aim, label, &pair).await,
                    _ => self.order(flow, aim, label, &pair).await,
                };
                self.give_pair_back(pair);
                scene
            }
        }
    }

    /// A pair that is free, of which there are as many as may be waited for.
    fn take_pair(&self) -> Pair {
        self.pairs.lock().expect("no holder of this lock panics").pop().expect("one is free")
    }

    fn give_pair_back(&self, pair: Pair) {
        self.pairs.lock().expect("no holder of this lock panics").insert(0, pair);
    }

    /// Plays a flow that is about an order.
    async fn order(
        &self,
        flow: Flow,
        aim: Option<(Cell, Fault, usize)>,
        label: &str,
        pair: &Pair,
    ) -> Arc<Scene> {
        let Pair { buyer, product, .. } = pair;
        // The limit on orders knows a person by this alone.
        let counter = counted_as(&self.limit_key, &buyer.id);
        let scene = Scene::new(flow, aim, vec![product.id.clone(), buyer.id.clone(), counter]);
        let key = key_of(flow, label);
        let lines = vec![(product.id.clone(), 1)];
        let mut purchase = Purchase {
            label: label.to_owned(),
            buyer: buyer.id.clone(),
            asked: order_of(&lines),
            lines,
            ..Purchase::default()
        };
        self.stage.enter(&scene);
        if flow == Flow::ChecksOut
            && let Some(cart) = self.town.fill(Holder::Person(&buyer.person), &purchase.lines, None).await
        {
            purchase.asked = Town::checkout("/cart/checkout", &cart, false, None);
        }
        self.town.history.begin(&key, purchase);
        let order = self.ask(&key).await;
        if let Some(order) = order {
            scene.learn([order.as_str()]);
            if matches!(flow, Flow::Cancels | Flow::EmailSwept) {
                for _ in 0..6 {
                    if [200, 409].contains(&self.town.cancel_of(&key, &order).await) {
                        break;
                    }
                }
            }
            if flow == Flow::Refuses {
                self.refuse(&order).await;
            }
            let is_heard = async || {
                let aws = &self.town.aws;
                let is_heard_elsewhere =
                    async || is_recorded(aws, &order).await && is_told(aws, &order).await;
                has_left(aws, &order).await && (flow != Flow::Buys || is_heard_elsewhere().await)
            };
            let is_done = async || self.is_settled(&order).await && is_heard().await;
            wait_for(&scene, &is_done).await;
            // The message comes again when its visibility ends, after four seconds; a stream is read again at once.
            match scene.aim.as_ref().map(|(cell, ..)| cell.function.as_str()) {
                Some("consume-orders") => {
                    wait(COMES_AGAIN, async || self.is_shipped(&order).await).await;
                    scene.state().stuck = !self.is_shipped(&order).await;
                }
                Some("publish-events" | "hand-over-stock" | "record-purchases" | "write-inbox") => {
                    wait(COMES_AGAIN, is_heard).await;
                    scene.state().stuck = !is_heard().await;
                }
                _ => {}
            }
            // What follows at once should find the buyer still to itself.
            wait(millis(3_000), is_done).await;
        }
        self.stage.leave(&scene);
        scene
    }

    /// Asks for a purchase until it is answered, and gives the order.
    async fn ask(&self, key: &str) -> Option<String> {
        for _ in 0..6 {
            match self.town.ask(key).await {
                Answered::Placed(order) => return Some(order),
                Answered::Unknown(429) => sleep(millis(3_000)).await,
                Answered::Unknown(_) => sleep(millis(200)).await,
                Answered::Refused(_) => return None,
            }
        }
        None
    }

    /// Plays what becomes of a review, by somebody who has bought the product before.
    async fn reviews(
        &self,
        flow: Flow,
        aim: Option<(Cell, Fault, usize)>,
        label: &str,
        pair: &Pair,
    ) -> Arc<Scene> {
        let (town, Pair { buyer, product, .. }) = (&self.town, pair);
        let counter = counted_as(&self.limit_key, &buyer.id);
        let scene = Scene::new(flow, aim, vec![product.id.clone(), counter]);
        let Some(order) = self.may_review(flow, label, buyer, product).await else { return scene };
        // What an earlier scene has left.
        town.acts(&buyer.person, product, Act::Delete).await;
        self.stage.enter(&scene);
        for act in [Act::Post(4), Act::Edit(2), Act::Reply, Act::Hide, Act::Show, Act::Delete, Act::Post(5)] {
            town.acts(&buyer.person, product, act).await;
        }
        self.stage.leave(&scene);
        wait(millis(3_000), async || self.is_settled(&order).await).await;
        scene
    }

    /// Has a buyer buy a product, until it is known that it may be reviewed, and gives the order.
    async fn may_review(&self, flow: Flow, label: &str, buyer: &Buyer, product: &Product) -> Option<String> {
        let key = key_of(flow, label);
        let lines = vec![(product.id.clone(), 1)];
        let asked = order_of(&lines);
        let label = label.to_owned();
        let purchase = Purchase { label, buyer: buyer.id.clone(), asked, lines, ..Purchase::default() };
        self.town.history.begin(&key, purchase);
        let order = self.ask(&key).await?;
        let is_recorded = async || self.is_shipped(&order).await && is_recorded(&self.town.aws, &order).await;
        wait(Duration::from_secs(40), is_recorded).await;
        Some(order)
    }

    /// Plays how a new product of the store counts for it once somebody has reviewed it.
    async fn rates(
        &self,
        flow: Flow,
        aim: Option<(Cell, Fault, usize)>,
        label: &str,
        pair: &Pair,
    ) -> Arc<Scene> {
        let (town, buyer) = (&self.town, &pair.buyer);
        let product = town.lists(0, town.of_the_store("scene 0", 5)).await;
        let scene = Scene::new(flow, aim, vec![product.id.clone()]);
        let Some(order) = self.may_review(flow, label, buyer, &product).await else { return scene };
        self.stage.enter(&scene);
        town.acts(&buyer.person, &product, Act::Post(4)).await;
        let is_counted = async || is_counted(&town.aws, &product.id).await;
        wait_for(&scene, &is_counted).await;
        // The message comes again when its visibility ends, after four seconds.
        wait(COMES_AGAIN, is_counted).await;
        scene.state().stuck = !is_counted().await;
        self.stage.leave(&scene);
        wait(millis(3_000), async || self.is_settled(&order).await).await;
        scene
    }

    /// Plays a flow that is about an order by card.
    async fn by_card(
        &self,
        flow: Flow,
        aim: Option<(Cell, Fault, usize)>,
        label: &str,
        pair: &Pair,
    ) -> Arc<Scene> {
        let Pair { buyer, product, .. } = pair;
        let key = key_of(flow, label);
        let mut purchase = Purchase {
            label: label.to_owned(),
            buyer: buyer.id.clone(),
            lines: vec![(product.id.clone(), 1)],
            ..Purchase::default()
        };
        let mut subjects = vec![product.id.clone(), buyer.id.clone(), counted_as(&self.limit_key, &buyer.id)];
        let shown = if flow == Flow::GuestPays {
            let cart = self.town.guest_cart(&purchase.lines[0]).await.unwrap_or_default();
            let email = format!("{}@cartwright.test", unique("gus").replace(' ', "."));
            subjects.extend([cart_id(&cart), counted_as(&self.limit_key, &email)]);
            let shown = self.town.fill(Holder::Guest(&cart), &purchase.lines, None).await;
            purchase.buyer = cart_id(&cart);
            purchase.guest = Some(Guest { email, cart, ..Guest::default() });
            shown
        } else {
            self.town.fill(Holder::Person(&buyer.person), &purchase.lines, None).await
        };
        let scene = Scene::new(flow, aim, subjects);
        let Some(shown) = shown else { return scene };
        let guest = purchase.guest.as_ref();
        let path = if guest.is_some() { "/guest-cart/checkout" } else { "/cart/checkout" };
        purchase.asked = Town::checkout(path, &shown, true, guest);
        self.town.history.begin(&key, purchase);
        self.stage.enter(&scene);
        if let Some(order) = self.ask(&key).await {
            let of_this = self.town.history.purchase(&key).map(|purchase| purchase.payments);
            let payment = of_this.into_iter().flatten().next().unwrap_or_default();
            scene.learn([order.as_str(), &payment]);
            self.go_on(flow, &key, &order, &payment, &buyer.id).await;
            self.see_it_through(&scene, &order).await;
        }
        self.stage.leave(&scene);
        scene
    }

    /// What happens to an order by card in a flow.
    async fn go_on(&self, flow: Flow, key: &str, order: &str, payment: &str, buyer: &str) {
        let town = &self.town;
        if !flow.is_told() {
            let never = json!({ "deliver": ["never"], "of": payment, "times": 99 });
            town.shop.post("/local/stripe/next-delivery", &never).await;
        }
        let act = async |act: &str| town.at_stripe("sessions", payment, &json!({ "do": act })).await;
        // Where the checkout may have died, its page is asked for again.
        if matches!(flow, Flow::PaysByCard | Flow::GuestPays) && town.page(key, order).await.is_none() {
            return;
        }
        match flow {
            Flow::PaysByCard | Flow::CannotShipPaid => drop(act("pay").await),
            Flow::PageGoesBy => drop(act("expire").await),
            Flow::PaidUnheard => {
                act("pay").await;
                self.is_due(order).await;
            }
            Flow::NobodyPays => self.is_due(order).await,
            Flow::HoldSwept => {
                let values = json!({ ":due": { "S": "2001-09-09T01:46:40.000Z" } });
                town.aws.update_item("OrdersTable", ("orderId", order), "SET dueAt = :due", values).await;
            }
            Flow::PaysAgain => {
                town.let_go_by(payment).await;
                if let Some(another) = town.page(key, order).await {
                    town.at_stripe("sessions", &another, &json!({ "do": "pay" })).await;
                }
            }
            Flow::GuestPays => {
                town.claim(key, order, buyer).await;
                act("pay").await;
                town.refresh(key, order, payment).await;
            }
            _ => {
                act("pay").await;
                for _ in 0..3 {
                    town.refresh(key, order, payment).await;
                    if !awaits(&stored(&town.aws, order).await) {
                        break;
                    }
                }
                self.give_back(flow, key, order, payment).await;
            }
        }
    }

    /// What goes back of an order that is paid.
    async fn give_back(&self, flow: Flow, key: &str, order: &str, payment: &str) {
        let town = &self.town;
        match flow {
            Flow::CancelsPaid => {
                for _ in 0..6 {
                    if [200, 409].contains(&town.cancel_of(key, order).await) {
                        break;
                    }
                }
            }
            Flow::RefusesPaid => self.refuse(order).await,
            Flow::GivesBack | Flow::RefundedAgain | Flow::RefundSwept => {
                let ordered = stored(&town.aws, order).await;
                town.ask_back(key, payment, &Town::piece_of(&ordered, 0)).await;
                let asked = town.history.given_back().remove(key).unwrap_or_default();
                let refund = asked.answers.into_iter().find_map(|(_, refund)| refund);
                if let Some(refund) = refund.filter(|_| flow == Flow::RefundedAgain) {
                    town.tried(payment, &refund).await;
                    let queued = json!({ "paymentId": payment, "refundId": refund });
                    town.aws.send_message("RefundsQueueUrl", &queued).await;
                }
            }
            _ => {}
        }
    }

    /// An order waits for people, and its seller does not send it, which is said until it is answered.
    async fn refuse(&self, order: &str) {
        let town = &self.town;
        let values = json!({ ":yes": { "BOOL": true } });
        town.aws.update_item("OrdersTable", ("orderId", order), "SET manual = :yes", values).await;
        let seller = text(&stored(&town.aws, order).await["lines"]["L"][0]["M"], "sellerId");
        let Some(seller) = town.sellers.iter().find(|person| person.id() == seller) else { return };
        let path = format!("/seller/orders/{order}/status");
        for _ in 0..6 {
            let answer = seller.put(&path, &json!({ "status": "refused", "reason": "It broke." })).await;
            if [200, 409].contains(&answer.status) {
                break;
            }
            sleep(millis(200)).await;
        }
    }

    /// The time to pay an order is over: what the sweep sends then.
    async fn is_due(&self, order: &str) {
        self.town.aws.send_message("PaymentsQueueUrl", &json!({ "orderId": order })).await;
    }

    /// Waits until the call was reached or all of the order by card is settled, and whether what a consumer failed at
    /// comes again.
    async fn see_it_through(&self, scene: &Scene, order: &str) {
        let aws = &self.town.aws;
        let is_done = async || {
            let is_given_back = number(&stored(aws, order).await["payment"]["M"], "refunding") == 0;
            is_given_back && is_settled(aws, order).await && has_left(aws, order).await
        };
        wait_for(scene, &is_done).await;
        // Messages come again when their visibility ends, after five seconds; and webhooks after 1, 5 and 25.
        let aimed = scene.aim.as_ref().map(|(cell, ..)| cell.function.as_str());
        let comes_again = ["receive-stripe-event", "settle-payment", "send-refund"];
        if scene.is_reached()
            && !scene.flow.is_swept()
            && aimed.is_some_and(|function| comes_again.contains(&function))
        {
            let has_come = async || {
                let stored = stored(aws, order).await;
                let is_given_back = number(&stored["payment"]["M"], "refunding") == 0;
                !awaits(&stored) && is_given_back && has_left(aws, order).await
            };
            wait(COMES_AGAIN, has_come).await;
            scene.state().stuck = !has_come().await;
        }
        wait(millis(3_000), is_done).await;
    }

    async fn is_settled(&self, order: &str) -> bool {
        is_settled(&self.town.aws, order).await
    }

    async fn is_shipped(&self, order: &str) -> bool {
        text(&stored(&self.town.aws, order).await, "status") == "shipping"
    }

    /// Plays an approval and another name of the store until both are found, one at a time: of the indexer's calls
    /// nobody could say whose they are.
    async fn indexes(&self, flow: Flow, aim: Option<(Cell, Fault, usize)>) -> Arc<Scene> {
        let _free = self.indexing.acquire().await.expect("nobody closes it");
        let (town, admin) = (&self.town, self.town.shop.admin().await);
        let word = unique("zq").replace(' ', "");
        let owner = town.shop.person("Ida").await;
        let store = created(&owner, "/stores", &json!({ "name": format!("Old {word}") })).await;
        let path = format!("/stores/{}", store["id"].as_str().expect("an id"));
        owner.put(&format!("{path}/status"), &json!({ "status": "published" })).await.is(200);
        let new = product().named(&word).stock(1).with("storeId", store["id"].clone());
        let listed = lists(&owner, new).await;
        let scene = Scene::new(flow, aim, vec![]);
        self.stage.enter(&scene);
        let approval = format!("{}/approval", listed.path());
        let is_answered = async || admin.put(&approval, &json!({ "approved": true })).await.status == 200;
        wait(Duration::from_secs(20), is_answered).await;
        let name = format!("New {word}");
        owner.put(&path, &json!({ "name": name })).await.is(200);
        let is_found = async || {
            let page = town.shop.get(&format!("/search?q={word}")).await.body;
            page["products"][0]["id"] == listed.id && page["facets"]["stores"][0]["name"] == name
        };
        let is_over = async || scene.is_reached() || (scene.aim.is_none() && is_found().await);
        wait(Duration::from_secs(25), is_over).await;
        // A stream is read again at once, by another process where the first was killed.
        wait(COMES_AGAIN, is_found).await;
        scene.state().stuck = !is_found().await;
        self.stage.leave(&scene);
        scene
    }

    /// Plays how an endpoint of the scene's own is told of an event. A message whose consumer failed comes again in
    /// seconds; what a dead sender had claimed is due after a minute, which nobody waits for.
    async fn tells(&self, flow: Flow, aim: Option<(Cell, Fault, usize)>) -> Arc<Scene> {
        let _free = self.telling.acquire().await.expect("nobody closes it");
        let kind = self.rare.lock().expect("no holder of this lock panics").pop().expect("one is free");
        let (town, admin, receiver) = (&self.town, self.town.shop.admin().await, Receiver::start().await);
        let wanted = json!({ "url": receiver.url(), "types": [kind] });
        let endpoint = created(admin, "/webhooks", &wanted).await["id"].as_str().expect("an id").to_owned();
        let scene = Scene::new(flow, aim, vec![endpoint.clone()]);
        self.stage.enter(&scene);
        let event = event_of(kind);
        town.aws.send_message("WebhookEventsQueueUrl", &event).await;
        let path = format!("/webhooks/{endpoint}/deliveries");
        let delivery = async || admin.get(&path).await.body["deliveries"][0].clone();
        let is_taken = async || receiver.took(&event) && delivery().await["status"] == "delivered";
        let is_over = async || scene.is_reached() || (scene.aim.is_none() && is_taken().await);
        wait(Duration::from_secs(25), is_over).await;
        let comes_by_itself = Duration::from_secs(12);
        wait(comes_by_itself, is_taken).await;
        // Each sweep puts off what it finds, be that still somebody's or not.
        let ahead = std::cell::Cell::new(Duration::from_mins(5));
        let is_swept = async || {
            if is_taken().await {
                return true;
            }
            self.end_lease(delivery().await["id"].as_str()).await;
            town.aws.invoke("sweep-webhooks", &events::scheduled(ahead.get())).await;
            ahead.set(ahead.get() + Duration::from_mins(5));
            sleep(millis(2_000)).await;
            false
        };
        wait(Duration::from_secs(60), is_swept).await;
        scene.state().stuck = !is_taken().await;
        self.stage.leave(&scene);
        admin.request(Method::DELETE, &format!("/webhooks/{endpoint}")).send().await;
        self.rare.lock().expect("no holder of this lock panics").push(kind);
        scene
    }

    /// Plays how somebody listens by a socket. A fault may take a hint, which the inbox has; or a socket, and its page
    /// opens another one. Whoever listens after it hears of what is next.
    async fn listens(&self, flow: Flow, aim: Option<(Cell, Fault, usize)>) -> Arc<Scene> {
        let _free = self.uploads.acquire().await.expect("nobody closes it");
        let (aws, person) = (&self.town.aws, self.town.shop.person("Lis").await);
        let id = person.id();
        let scene = Scene::new(flow, aim, vec![id.clone()]);
        self.stage.enter(&scene);
        if let Some(mut socket) = opens(&person).await {
            aws.send_message("InboxQueueUrl", &news_for(&id)).await;
            // What push-notification failed at comes again when its visibility ends, after four seconds. Where nothing
            // goes wrong it comes, however busy the machine is.
            let patience = if scene.aim.is_none() { 60 } else { 12 };
            let _ = socket.next_within(Duration::from_secs(patience)).await;
            socket.close().await;
            wait(Duration::from_secs(10), async || scene.is_reached() || is_silent(aws, &id).await).await;
        }
        self.stage.leave(&scene);
        let hears = match opens(&person).await {
            Some(mut socket) => {
                aws.send_message("InboxQueueUrl", &news_for(&id)).await;
                let heard = socket.next_within(Duration::from_secs(40)).await;
                socket.close().await;
                heard.flatten().is_some()
            }
            None => false,
        };
        scene.state().stuck = !hears;
        scene
    }

    /// Plays how a code is sent to a telephone of its own, of which the buyer has asked for it; past add-phone, which
    /// lets a person have five a day. The message comes twice, as queues have it.
    async fn texts(&self, flow: Flow, aim: Option<(Cell, Fault, usize)>, pair: &Pair) -> Arc<Scene> {
        let (aws, person) = (&self.town.aws, pair.buyer.person.id());
        let (number, proof) = (texts::number(), texts::proof());
        let asked = json!({ "M": {
            "id": { "S": proof }, "number": { "S": number }, "askedAt": { "S": texts::now() }, "tries": { "N": "0" },
        } });
        let values = json!({ ":new": asked });
        aws.update_item("UsersTable", ("userId", &person), "SET newNumber = :new", values).await;
        let scene = Scene::new(flow, aim, vec![proof.clone(), number[1..].to_owned()]);
        self.stage.enter(&scene);
        let due = json!({ "kind": "phone.code", "id": format!("{person}.{proof}") });
        for _ in 0..2 {
            aws.send_message("TextsQueueUrl", &due).await;
        }
        let claim = format!("claim#text#phone.code#{person}.{proof}");
        let is_done = async || !aws.item("GuardsTable", ("guardId", &claim)).await["doneAt"].is_null();
        let is_over = async || scene.is_reached() || (scene.aim.is_none() && is_done().await);
        wait(Duration::from_secs(25), is_over).await;
        // A message whose consumer failed comes again in seconds, and finds the claim of a dead one once it is over.
        wait(Duration::from_secs(90), is_done).await;
        scene.state().stuck = !is_done().await;
        self.stage.leave(&scene);
        scene
    }

    /// Lets the minute be over for which a delivery is its sender's alone.
    async fn end_lease(&self, delivery: Option<&str>) {
        let Some(delivery) = delivery else { return };
        let aws = &self.town.aws;
        let key = json!({ "webhookId": { "S": delivery }, "entry": { "S": "delivery" } });
        let read = json!({ "TableName": aws.output("WebhooksTable"), "Key": key, "ConsistentRead": true });
        let found = aws.json("dynamodb", "DynamoDB_20120810.GetItem", read.clone()).await;
        if found["Item"]["leaseUntil"].is_null() {
            return;
        }
        let mut update = read;
        update.as_object_mut().expect("an object").remove("ConsistentRead");
        update["UpdateExpression"] = json!("SET leaseUntil = :past");
        update["ExpressionAttributeValues"] = json!({ ":past": { "S": "2001-09-09T01:46:40.000Z" } });
        aws.json("dynamodb", "DynamoDB_20120810.UpdateItem", update).await;
    }

    /// Plays an approval, which its admin asks for until it is answered.
    async fn approves(&self, flow: Flow, aim: Option<(Cell, Fault, usize)>) -> Arc<Scene> {
        let _free = self.uploads.acquire().await.expect("nobody closes it");
        let (town, admin) = (&self.town, self.town.shop.admin().await);
        let seller = &town.sellers[0];
        let listed = lists(seller, product().named("approved")).await;
        self.sends(&listed.upload_url, wide_png()).await;
        self.sends(&adds(seller, &listed).await, RED_PNG.to_vec()).await;
        let both =
            async || pictures_of(seller, &listed).await.iter().all(|one| one["waitingPicture"].is_object());
        wait(Duration::from_secs(20), both).await;
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

    /// Plays how a product is turned down, until its seller has an email that says so.
    async fn turns_down(&self, flow: Flow, aim: Option<(Cell, Fault, usize)>) -> Arc<Scene> {
        let _free = self.uploads.acquire().await.expect("nobody closes it");
        let (town, admin) = (&self.town, self.town.shop.admin().await);
        let seller = &town.sellers[0];
        let listed = lists(seller, product().named("rejected")).await;
        self.sends(&listed.upload_url, wide_png()).await;
        let waits =
            async || pictures_of(seller, &listed).await.iter().all(|one| one["waitingPicture"].is_object());
        wait(Duration::from_secs(20), waits).await;
        let scene = Scene::new(flow, aim, vec![listed.id.clone()]);
        self.stage.enter(&scene);
        let approval = format!("{}/approval", listed.path());
        let rejection = json!({ "approved": false, "reason": "Blurred." });
        let is_answered = async || admin.put(&approval, &rejection).await.status == 200;
        wait(Duration::from_secs(20), is_answered).await;
        let is_written = async || {
            let mails = town.shop.mail_to(&seller.email).await;
            mails.iter().any(|mail| mail.text.contains(&listed.id))
        };
        wait_for(&scene, &is_written).await;
        // The message comes again when its visibility ends, after four seconds.
        wait(COMES_AGAIN, is_written).await;
        scene.state().stuck = !is_written().await;
        self.stage.leave(&scene);
        scene
    }

    /// Plays how a store is published and closed, which its owner asks for until each is answered.
    async fn closes(&self, flow: Flow, aim: Option<(Cell, Fault, usize)>, pair: &Pair) -> Arc<Scene> {
        let scene = Scene::new(flow, aim, vec![pair.store.clone()]);
        self.stage.enter(&scene);
        let path = format!("/stores/{}/status", pair.store);
        for status in ["published", "deactivated"] {
            let is_answered =
                async || pair.buyer.person.put(&path, &json!({ "status": status })).await.status == 200;
            wait(Duration::from_secs(20), is_answered).await;
        }
        self.stage.leave(&scene);
        scene
    }

    /// Uploads a picture by a URL.
    async fn sends(&self, url: &str, file: Vec<u8>) {
        assert_eq!(self.town.shop.upload(url, "image/png", file).await, 200);
    }

    /// Plays what a seller does with the two pictures of a product that is for sale, each time until it is answered.
    async fn changes_pictures(&self, flow: Flow, aim: Option<(Cell, Fault, usize)>) -> Arc<Scene> {
        let _free = self.uploads.acquire().await.expect("nobody closes it");
        let (town, admin) = (&self.town, self.town.shop.admin().await);
        let seller = &town.sellers[0];
        let listed = lists(seller, product().named("several")).await;
        self.sends(&listed.upload_url, RED_PNG.to_vec()).await;
        self.sends(&adds(seller, &listed).await, BLUE_PNG.to_vec()).await;
        let both =
            async || pictures_of(seller, &listed).await.iter().all(|one| one["waitingPicture"].is_object());
        wait(Duration::from_secs(20), both).await;
        let approval = format!("{}/approval", listed.path());
        admin.put(&approval, &json!({ "approved": true })).await.is(200);
        let page = seller.get(&format!("/users/me{}", listed.path())).await.is(200);
        let (version, second) = (format!("\"{}\"", page["version"]), page["pictures"][1]["id"].clone());

        let scene = Scene::new(flow, aim, vec![listed.id.clone()]);
        self.stage.enter(&scene);
        let path = format!("{}/pictures", listed.path());
        // Of a version that was seen, it is added once, whatever became of the answer.
        let is_added = async || {
            let file = json!({ "fileName": "new.png", "fileType": "image/png" });
            let request = seller.request(Method::POST, &path).header("if-match", &version);
            matches!(request.json(&file).send().await.status, 201 | 412)
        };
        wait(Duration::from_secs(20), is_added).await;
        let is_ordered = async || {
            let mut order: Vec<_> =
                pictures_of(seller, &listed).await.iter().map(|one| one["id"].clone()).collect();
            order.sort_by_key(|id| *id != second);
            seller.put(&path, &json!({ "pictures": order })).await.status == 200
        };
        wait(Duration::from_secs(20), is_ordered).await;
        let is_deleted = async || {
            let first = format!("{path}/{}", listed.id);
            matches!(seller.request(Method::DELETE, &first).send().await.status, 204 | 404)
        };
        wait(Duration::from_secs(20), is_deleted).await;
        let left: Vec<_> = pictures_of(seller, &listed).await.iter().map(|one| one["id"].clone()).collect();
        assert!(left.len() == 2 && left[0] == second, "{left:?}");
        town.history.approved(&listed.id);
        self.stage.leave(&scene);
        scene
    }

    /// Plays the way of a picture. A product's is its second.
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
        // One scene at a time uploads for a store, or the newer picture would take the place of the other.
        let _alone = match kind {
            "stores" => Some(self.free.acquire().await.expect("nobody closes it")),
            _ => None,
        };
        let pair = (kind == "stores").then(|| self.take_pair());
        let (url, owner) = match kind {
            "products" => {
                let seller = &town.sellers[0];
                let listed = lists(seller, product().named("pictured")).await;
                self.sends(&listed.upload_url, RED_PNG.to_vec()).await;
                let first = async || pictures_of(seller, &listed).await[0]["waitingPicture"].is_object();
                wait(Duration::from_secs(20), first).await;
                (adds(seller, &listed).await, listed.id)
            }
            "categories" => {
                let name = ::tests::shop::unique("pictured");
                let mut body = file;
                body["categoryName"] = json!(name);
                let asked = created(admin, "/categories/upload-url", &body).await;
                (asked["uploadUrl"].as_str().expect("a URL").to_owned(), URL_SAFE_NO_PAD.encode(name))
            }
            "stores" => {
                let pair = pair.as_ref().expect("it was taken");
                let mut body = file;
                body["picture"] = json!("logo");
                let path = format!("/stores/{}/upload-url", pair.store);
                let asked = created(&pair.buyer.person, &path, &body).await;
                (asked["uploadUrl"].as_str().expect("a URL").to_owned(), format!("{}.logo", pair.store))
            }
            _ => {
                let asked = created(admin, "/banners/upload-url", &file).await;
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
        // Its item has the store's id alone.
        subjects.extend(pair.as_ref().map(|pair| pair.store.clone()));
        let scene = Scene::new(flow, aim, subjects);
        self.stage.enter(&scene);
        town.history.pictured(&owner);
        self.sends(&url, wide_png()).await;
        let folder = url.split_once("/uploads/").and_then(|(_, rest)| rest.split('/').nth(1));
        let folder = format!("uploads/{kind}/{}/", folder.expect("whose picture it is"));
        let is_over = async || {
            scene.is_reached() || scene.aim.is_none() && town.aws.keys_under(&folder).await.is_empty()
        };
        wait(Duration::from_secs(20), is_over).await;
        sleep(millis(500)).await;
        self.stage.leave(&scene);
        pair.into_iter().for_each(|pair| self.give_pair_back(pair));
        scene
    }
}

/// An event of this type that nobody else tells of.
fn event_of(kind: &str) -> Value {
    let hash = Sha256::digest(unique("event"));
    let hex: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let id = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-");
    json!({
        "specversion": "1.0", "id": id, "source": "/cartwright/local/users", "type": kind, "subject": id,
        "time": "2026-11-21T12:00:00.000Z", "datacontenttype": "application/json",
        "dataschema": format!("urn:cartwright:event:{kind}:1"), "data": { "userId": id }
    })
}

/// The same about a person's own account, which the person is told of.
fn news_for(person: &str) -> Value {
    let mut event = event_of("user.profile-changed");
    event["data"]["userId"] = json!(person);
    event
}

/// A socket of somebody's, who asks for one until it opens.
async fn opens(person: &Person) -> Option<Socket> {
    for _ in 0..6 {
        let ticket = person.request(Method::POST, "/socket-tickets").send().await;
        if ticket.status == 201
            && let Ok(socket) = Socket::open(&socket::address(&ticket.is(201))).await
        {
            return Some(socket);
        }
        sleep(millis(200)).await;
    }
    None
}

/// Whether nothing is written down by which somebody listens.
async fn is_silent(aws: &Aws, person: &str) -> bool {
    let query = json!({
        "TableName": aws.output("ConnectionsTable"), "ConsistentRead": true,
        "KeyConditionExpression": "userId = :person", "ExpressionAttributeValues": { ":person": { "S": person } }
    });
    let found = aws.json("dynamodb", "DynamoDB_20120810.Query", query).await;
    found["Items"].as_array().is_some_and(Vec::is_empty)
}

async fn lists(seller: &Person, new: NewProduct) -> Product {
    Product::listed(&new, &created(seller, "/products", &new.body).await)
}

/// Adds a picture to a product, and gives the URL for it.
async fn adds(seller: &Person, product: &Product) -> String {
    let file = json!({ "fileName": "more.png", "fileType": "image/png" });
    let added = created(seller, &format!("{}/pictures", product.path()), &file).await;
    added["uploadUrl"].as_str().expect("a URL").to_owned()
}

/// The pictures of a product, as its seller sees them.
async fn pictures_of(seller: &Person, product: &Product) -> Vec<Value> {
    let mut page = seller.get(&format!("/users/me{}", product.path())).await.is(200);
    page["pictures"].as_array_mut().map(std::mem::take).expect("pictures")
}

/// What was created, by a person who waits when told to: whoever plays quickly comes to the limit of a person.
async fn created(person: &Person, path: &str, body: &Value) -> Value {
    loop {
        let answer = person.post(path, body).await;
        if answer.status != 429 {
            return answer.is(201);
        }
        sleep(Duration::from_secs(1)).await;
    }
}

/// Waits until the call of a scene was made. Where all is done without it, it will not be: who records has seen all
/// calls then, and who waits for a sweep has met one that another scene spoiled.
async fn wait_for(scene: &Scene, is_done: &impl AsyncFn() -> bool) {
    let ends = scene.aim.is_none() || scene.flow.is_swept();
    wait(scene.flow.patience(), async || scene.is_reached() || (ends && is_done().await)).await;
    if scene.flow.is_swept() {
        // The sweep notes what it did after the others have acted on it.
        wait(millis(1_500), async || scene.is_reached()).await;
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
    use crate::call::Caller;
    use crate::call::tests::{call, to_stripe};

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
    fn what_never_works_in_a_flow_fails_and_is_no_call_of_it() {
        let scene = Scene::new(Flow::EmailSwept, None, vec!["order-1".into()]);
        let sweeps = |queue: &str| {
            let message =
                json!({ "QueueUrl": format!("http://sqs/a-{queue}Queue-b"), "MessageBody": "order-1" });
            let caller = Some(Caller { function: "sweep-orders".into(), pid: 7 });
            Call { caller, ..call("sqs", "AmazonSQS.SendMessage", &message.to_string()) }
        };
        let faults = ["Orders", "Emails"].map(|queue| scene.fault(&sweeps(queue)));
        assert_eq!(faults, [Some(Fault::Throttled), None]);
        let played: Vec<_> = scene.state().trace.iter().map(|cell| cell.signature.clone()).collect();
        assert_eq!(played, ["sqs.SendMessage Emails"]);
    }

    #[test]
    fn a_call_is_killed_in_each_run_and_meets_the_other_faults_in_turns() {
        let of =
            |choice: Choice| -> Vec<_> { choice.of(&cell(1)).into_iter().map(|(.., name)| name).collect() };
        assert_eq!(of(Choice::All).len(), FAULTS.len());
        let mut seen = HashSet::new();
        for seed in 0..30 {
            let faults = of(Choice::Turns(seed));
            assert_eq!((faults.len(), faults[0], faults[1]), (3, "killed before", "killed after"));
            assert_eq!(faults, of(Choice::Turns(seed)), "a seed repeats its faults");
            seen.insert(faults[2]);
        }
        assert_eq!(seen.len(), FAULTS.len() - ALWAYS, "{seen:?}");
        let read = Cell { signature: "dynamodb.GetItem Orders".into(), ..cell(1) };
        let killed = Choice::All.of(&read).into_iter().filter(|(.., name)| name.starts_with("killed"));
        assert_eq!(killed.map(|(.., name)| name).collect::<Vec<_>>(), ["killed before"]);
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

    #[test]
    fn a_scene_learns_what_stripe_calls_its_payment_and_not_what_a_list_has() {
        let scene = Scene::new(Flow::PaidUnheard, None, vec!["order-1".into()]);
        let body =
            r#"{"TransactItems":[{"Put":{"Item":{"orderId":{"S":"order-1"},"paymentId":{"S":"pay-1"}}}}]}"#;
        scene.fault(&call("dynamodb", "DynamoDB_20120810.TransactWriteItems", body));
        let stage = Stage::default();
        stage.enter(&scene);
        let made = to_stripe("POST", "/v1/checkout/sessions", "metadata%5Bpayment_id%5D=pay-1");
        stage.heard(&made, r#"{"id":"cs_1","payment_intent":null}"#);
        let of_another = to_stripe("POST", "/v1/checkout/sessions", "metadata%5Bpayment_id%5D=pay-2");
        stage.heard(&of_another, r#"{"id":"cs_2"}"#);
        let list = to_stripe("GET", "/v1/refunds?payment_intent=pi_1&limit=100", "");
        stage.heard(&list, r#"{"data":[{"id":"re_3"}]}"#);
        scene.fault(&to_stripe("POST", "/v1/checkout/sessions/cs_1/expire", ""));
        let paid = r#"{"ExpressionAttributeValues":{":session":{"S":"cs_1"},":intent":{"S":"pi_1"}}}"#;
        scene.fault(&call("dynamodb", "DynamoDB_20120810.UpdateItem", paid));
        let known = ["order-1", "pay-1", "cs_1", "pi_1"].map(str::to_owned);
        assert_eq!(scene.state().subjects, known);
        let expire = scene.state().trace.iter().any(|cell| cell.signature.ends_with("{id}/expire"));
        assert!(expire, "{:?}", scene.state().trace);
    }

    #[test]
    fn what_is_the_same_in_each_flow_is_played_once_and_what_changes_something_in_each() {
        let of = |signature: &str| Cell { signature: signature.into(), ..cell(1) };
        for same in [
            "dynamodb.BatchGetItem Carts Guards Users",
            "dynamodb.GetItem Orders",
            "stripe.GET /v1/refunds",
            "dynamodb.UpdateItem Guards SET expiresAt",
        ] {
            assert!(of(same).is_the_same_everywhere(), "{same}");
        }
        for other in
            ["dynamodb.TransactWriteItems Orders", "stripe.POST /v1/refunds", "sqs.SendMessage Orders"]
        {
            assert!(!of(other).is_the_same_everywhere(), "{other}");
        }
        let sent = |flow: Flow, queue: &str| {
            let signature = format!("sqs.SendMessage {queue}");
            flow.plays(&Cell { flow, function: "sweep-orders".into(), signature, number: 1 })
        };
        let own = [(Flow::HoldSwept, "Payments"), (Flow::Swept, "Orders"), (Flow::EmailSwept, "Emails")];
        assert!(own.iter().all(|(flow, queue)| sent(*flow, queue)));
        let by_chance =
            [(Flow::HoldSwept, "Orders"), (Flow::Swept, "Emails"), (Flow::NobodyPays, "Payments")];
        assert!(by_chance.iter().all(|(flow, queue)| !sent(*flow, queue)));
    }

    #[test]
    fn every_flow_is_played_in_the_part_with_sweeps_or_in_the_one_without() {
        let count = |is_swept: bool| Flow::ALL.into_iter().filter(|flow| flow.is_swept() == is_swept).count();
        assert_eq!((count(false), count(true)), (31, 5));
        let distinct: std::collections::BTreeSet<_> = Flow::ALL.into_iter().collect();
        assert_eq!(distinct.len(), Flow::ALL.len());
    }
}
