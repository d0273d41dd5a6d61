//! People whose accounts end while things go wrong: with all that the shop keeps of somebody, and some of them with
//! something that is owed, who stay. In the end, where something of them is left.

mod gauntlet;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ::tests::answer::Answer;
use ::tests::aws::{Execution, Trace};
use ::tests::logs::logs_with;
use ::tests::shop::{PASSWORD, Person, Product, RED_PNG, Request, product, unique};
use ::tests::wait::at_once;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::time::sleep;

pub(crate) use self::gauntlet::{Gauntlet, Run, run};
use crate::call::ids_of_stripes;
use crate::cards::{Holder, order_of};
use crate::draws::Draws;
use crate::events;
use crate::history::{Answered, Leaving, Purchase, Word};
use crate::quiet::end_dead_leases;
use crate::reviews::is_recorded;
use crate::workload::{Buyer, PATIENCE, Town, millis};
use crate::world::{attempt, has_left, text};

/// How many people leave while others buy and sell.
const PEOPLE: usize = 8;

/// Of those, how many wait for the provider of payments: the deletion cancels what they have not paid.
const UNPAID: usize = 2;

/// The workflow that deletes.
const WORKFLOW: &str = "account-deletion";

/// What an email says to whoever is gone, and to whoever is not.
const DELETED: &str = "Your account at Cartwright is deleted";
const KEPT: &str = "Your account at Cartwright is still there";

/// How many of them do at the same time what they do before they leave: others go about their business meanwhile.
const AT_ONCE: usize = 4;

/// The tables that name a person by an id for as long as there is an account. In the others the id of somebody who has
/// left leads nowhere.
const NAME_A_PERSON: [&str; 11] = [
    "ActivityTable",
    "CartsTable",
    "ConnectionsTable",
    "InboxTable",
    "MailTable",
    "OffersTable",
    "ProductsTable",
    "PurchasesTable",
    "RecentlyViewedTable",
    "ReviewsTable",
    "UsersTable",
];

/// Those that name what somebody sells for as long as that is sold. In others' carts, lists and orders it stays.
const NAME_A_PRODUCT: [&str; 2] = ["OffersTable", "ProductsTable"];

/// That which names a store as its owner did.
const NAMES_A_STORE: &str = "StoresTable";

/// Where everything is that there is of each of these people, before they leave and when they stay.
pub(crate) const EVERYWHERE: [&str; 15] = [
    "ActivityTable",
    "CartsTable",
    "InboxTable",
    "MediaBucket",
    "OffersTable",
    "OrdersTable",
    "ProductsTable",
    "PurchasesTable",
    "RecentlyViewedTable",
    "ReturnsTable",
    "ReviewsTable",
    "StoresTable",
    "UploadsBucket",
    "UsersTable",
    "user pool",
];

/// By what somebody is kept who would leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Debt {
    /// An order of theirs is still to be sent.
    Waits,
    /// They have to send what somebody else ordered.
    Owes,
}

/// By what something that was found is known to be of a person.
#[derive(Debug, Clone, Default)]
pub(crate) struct Marks {
    /// What says who it is, wherever it stands: the address, the names, the street and the telephone.
    words: Vec<String>,
    person: String,
    product: String,
    store: String,
    /// What the store is called, and nothing else is.
    store_name: String,
}

impl Marks {
    /// What names this person, or something of theirs, and may not stand everywhere once they are gone.
    fn ids(&self) -> Vec<String> {
        [&self.person, &self.product, &self.store, &self.store_name].map(Clone::clone).into()
    }

    /// Whether something that was found is of this person, and should have gone.
    fn are_in(&self, Trace { place, word }: &Trace) -> bool {
        let place = place.as_str();
        if self.words.contains(word) {
            true
        } else if !place.ends_with("Table") {
            // In the key of an object.
            self.ids().contains(word)
        } else if *word == self.person {
            NAME_A_PERSON.contains(&place)
        } else if *word == self.product {
            NAME_A_PRODUCT.contains(&place)
        } else {
            *word == self.store_name && place == NAMES_A_STORE
        }
    }
}

/// Somebody who will leave, or would.
#[derive(Debug, Clone)]
pub(crate) struct Leaver {
    pub buyer: Buyer,
    /// What they sell, in their own store.
    product: Product,
    marks: Marks,
    /// Where they live.
    address: String,
    /// What will be owed when they ask.
    debt: Option<Debt>,
    /// What their calls can be known by besides: their orders, returns and payments.
    subjects: Vec<String>,
}

impl Leaver {
    fn person(&self) -> &Person {
        &self.buyer.person
    }

    /// What the user pool calls them.
    fn username(&self) -> String {
        self.person().full_name.replace(' ', "_")
    }
}

/// What is left of somebody who would leave, and what became of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Left {
    /// What the profile says of the account; nothing where there is none.
    pub status: Option<String>,
    /// Where something of theirs is: tables, buckets, queues, logs, the user pool.
    pub places: BTreeSet<String>,
    /// What still lets them in.
    pub opens: BTreeSet<&'static str>,
    /// How many letters say that the account is deleted, and how many that it is not.
    pub deleted: usize,
    pub kept: usize,
}

impl Left {
    /// Whether there is no account any more.
    pub(crate) fn is_gone(&self) -> bool {
        self.status.is_none()
    }
}

impl Town {
    /// Those who will leave, or have left.
    pub(crate) fn leavers(&self) -> Vec<Leaver> {
        self.leavers.lock().expect("no holder of this lock panics").clone()
    }

    /// The people who leave while others buy and sell: the last two stay, since something is owed.
    pub(crate) async fn settle_leavers(self) {
        let debts = [Debt::Waits, Debt::Owes];
        let of = |number: usize| number.checked_sub(PEOPLE - debts.len()).map(|place| debts[place]);
        self.arrive(0, PEOPLE, UNPAID, of).await;
    }

    /// Signs people up who will leave, and lets each have all that the shop keeps of somebody: they list something in
    /// a store of their own with a picture, buy something of each other, say how it is, want some of it back, fill a
    /// cart, look at products, read what they are told and ask for all of it. Nothing goes wrong meanwhile for them.
    /// The first ones have an order that is not paid yet.
    async fn arrive(
        &self,
        first: usize,
        count: usize,
        unpaid: usize,
        debt: impl Fn(usize) -> Option<Debt>,
    ) -> Vec<Leaver> {
        let keepsake = self.lists(0, product().named("keepsake 0").stock(200)).await;
        let town = self.clone();
        let few = Arc::new(Semaphore::new(AT_ONCE));
        let places = Arc::clone(&few);
        let people = at_once(count, move |number| {
            let (town, places) = (town.clone(), Arc::clone(&places));
            async move {
                let _place = places.acquire().await.expect("nobody closes it");
                town.moves_in(first + number).await
            }
        });
        let mut people = people.await;
        for (number, leaver) in people.iter_mut().enumerate() {
            leaver.debt = debt(number);
        }
        self.leavers.lock().expect("no holder of this lock panics").extend(people.iter().cloned());
        let (town, all) = (self.clone(), people.clone());
        let subjects = at_once(count, move |number| {
            let (town, keepsake, places) = (town.clone(), keepsake.clone(), Arc::clone(&few));
            let (leaver, other) = (all[number].clone(), all[(number + 1) % count].product.clone());
            async move {
                let _place = places.acquire().await.expect("nobody closes it");
                town.lives(&leaver, &keepsake, &other, number < unpaid).await
            }
        });
        for (leaver, subjects) in people.iter_mut().zip(subjects.await) {
            leaver.subjects = subjects;
        }
        people
    }

    /// Somebody signs up, opens a store and lists a product.
    async fn moves_in(self, number: usize) -> Leaver {
        let person = self.shop.person("Leaver").await;
        let (address, phone) = (unique("Elbchaussee"), format!("47110815{number:03}"));
        let told = json!({ "phone": format!("+49 40 {phone}"), "addresses": [lives_at(&person, &address)] });
        does(|| person.request(Method::PUT, "/users/me").json(&told)).await;
        let store_name = unique("zq").replace(' ', "");
        let name = json!({ "name": store_name });
        let opened = does(|| person.request(Method::POST, "/stores").json(&name)).await;
        let store = opened["id"].as_str().expect("an id").to_owned();
        let logo = json!({ "fileName": "logo.png", "fileType": "image/png", "picture": "logo" });
        let path = format!("/stores/{store}/upload-url");
        let asked = does(|| person.request(Method::POST, &path).json(&logo)).await;
        let url = asked["uploadUrl"].as_str().expect("a URL");
        assert_eq!(self.shop.upload(url, "image/png", RED_PNG.to_vec()).await, 200);
        let open = json!({ "status": "published" });
        let path = format!("/stores/{store}/status");
        does(|| person.request(Method::PUT, &path).json(&open)).await;
        let new = product().named(&format!("gift {number}")).stock(20).with("storeId", json!(store));
        let listed = does(|| person.request(Method::POST, "/products").json(&new.body)).await;
        let product = Product::listed(&new, &listed);
        assert_eq!(self.shop.upload(&product.upload_url, "image/png", RED_PNG.to_vec()).await, 200);
        let own = format!("/users/me{}", product.path());
        while !does(|| person.request(Method::GET, &own)).await["pictures"][0]["waitingPicture"].is_object() {
            sleep(millis(200)).await;
        }
        let (approval, yes) = (format!("{}/approval", product.path()), json!({ "approved": true }));
        let admin = self.shop.admin().await;
        does(|| admin.request(Method::PUT, &approval).json(&yes)).await;
        let picture = format!("images/stores/{store}.logo/");
        while self.aws.keys_under(&picture).await.is_empty() {
            sleep(millis(100)).await;
        }
        let buyer = Buyer { id: person.id(), person };
        self.history.leaving(&buyer.id, |leaving| leaving.email.clone_from(&buyer.person.email));
        let (email, name) = (buyer.person.email.clone(), buyer.person.full_name.clone());
        let marks = Marks {
            words: vec![email, name.replace(' ', "_"), name, address.clone(), phone],
            person: buyer.id.clone(),
            product: product.id.clone(),
            store,
            store_name,
        };
        Leaver { buyer, product, marks, address, debt: None, subjects: Vec::new() }
    }

    /// Somebody buys, and does with it all that can be done. Gives what their calls can be known by.
    async fn lives(&self, leaver: &Leaver, keepsake: &Product, other: &Product, unpaid: bool) -> Vec<String> {
        let (person, id, name) = (leaver.person(), &leaver.buyer.id, &leaver.person().full_name);
        let lines = vec![(keepsake.id.clone(), 2), (other.id.clone(), 1)];
        let mut asked = order_of(&lines);
        asked.body["shippingAddress"] = lives_at(person, &leaver.address);
        let key = format!("leaver-{id}");
        let purchase = Purchase { asked, lines, ..Purchase::default() };
        self.history.begin(&key, of_leaver(id, purchase));
        let order = self.gets_an_order(&key).await;
        while !(has_left(&self.aws, &order).await && is_recorded(&self.aws, &order).await) {
            sleep(millis(150)).await;
        }
        self.arrives(&key, &order).await;
        let stars = 1 + id.bytes().map(usize::from).sum::<usize>() % 5;
        let review = json!({ "stars": stars, "text": format!("Just right. {name}") });
        let path = format!("{}/reviews", keepsake.path());
        does(|| person.request(Method::POST, &path).json(&review)).await;
        self.history.gave_stars(&keepsake.id, stars);
        let back = json!({
            "items": [{ "id": keepsake.id, "quantity": 1 }], "reason": format!("Too small for {name}.")
        });
        let path = format!("/orders/{order}/returns");
        let back = does(|| person.request(Method::POST, &path).json(&back)).await;
        let back = back["returnId"].as_str().expect("an id").to_owned();
        let refused = json!({ "status": "refused", "reason": "It was opened." });
        let (admin, path) = (self.shop.admin().await, format!("/returns/{back}"));
        does(|| admin.request(Method::PUT, &path).json(&refused)).await;
        let mut subjects = vec![order, back];
        if unpaid {
            subjects.extend(self.begins_to_pay(leaver, keepsake).await);
        }
        self.has_in_the_cart(person, &[(keepsake.id.clone(), 1)]).await;
        let to = json!({ "shippingAddress": lives_at(person, &leaver.address) });
        does(|| person.request(Method::PUT, "/cart").json(&to)).await;
        let look = format!("/users/me/recently-viewed/{}", keepsake.id);
        does(|| person.request(Method::PUT, &look)).await;
        // Those who stay leave all of it unread, as everybody else does.
        if leaver.debt.is_none() {
            self.reads(person).await;
        }
        does(|| person.request(Method::GET, "/users/me/export")).await;
        // As one of more than can be answered at once, an hour ago.
        self.aws.put_object(&format!("exports/{id}.json"), &leaver.marks.words.join(", ")).await;
        subjects
    }

    /// The admin says of an order that it has arrived, until that is so.
    async fn arrives(&self, key: &str, order: &str) {
        for _ in 0..20 {
            let purchase = self.history.purchase(key).expect("a purchase");
            if purchase.said.last() == Some(&(Word::Delivered, 200)) {
                return;
            }
            self.say(&purchase, order, Word::Delivered).await;
        }
        panic!("nobody can say that {order} has arrived");
    }

    /// Puts this into somebody's cart, and gives what that shows.
    async fn has_in_the_cart(&self, person: &Person, lines: &[(String, i64)]) -> Value {
        for _ in 0..20 {
            if let Some(shown) = self.fill(Holder::Person(person), lines, None).await {
                return shown;
            }
            sleep(millis(300)).await;
        }
        panic!("nobody can fill a cart with {lines:?}");
    }

    /// Somebody reads the newest of what they are told, once there is something.
    async fn reads(&self, person: &Person) {
        loop {
            let told = does(|| person.request(Method::GET, "/notifications?limit=1")).await;
            if let Some(newest) = told["notifications"][0]["id"].as_str() {
                let path = format!("/notifications/{newest}/read");
                does(|| person.request(Method::PUT, &path)).await;
                return;
            }
            sleep(millis(150)).await;
        }
    }

    /// Somebody orders by card and does not pay. Gives the order, the payment, and what Stripe calls it.
    async fn begins_to_pay(&self, leaver: &Leaver, keepsake: &Product) -> Vec<String> {
        let lines = vec![(keepsake.id.clone(), 1)];
        let shown = self.has_in_the_cart(leaver.person(), &lines).await;
        let asked = Self::checkout("/cart/checkout", &shown, true, None);
        let key = format!("leaver-{}-card", leaver.buyer.id);
        self.history
            .begin(&key, of_leaver(&leaver.buyer.id, Purchase { asked, lines, ..Purchase::default() }));
        let order = self.gets_an_order(&key).await;
        let payments = self.history.purchase(&key).expect("a purchase").payments;
        let mut subjects = vec![order];
        for payment in payments {
            let attempted = attempt(&self.aws, &payment).await.to_string();
            subjects.extend(ids_of_stripes(&attempted).map(str::to_owned));
            subjects.push(payment);
        }
        subjects
    }

    /// Asks for a purchase until there is an order.
    async fn gets_an_order(&self, key: &str) -> String {
        for _ in 0..60 {
            match self.ask(key).await {
                Answered::Placed(order) => return order,
                Answered::Unknown(429) => sleep(Duration::from_secs(2)).await,
                Answered::Unknown(_) | Answered::Refused(_) => sleep(millis(300)).await,
            }
        }
        panic!("{key} was never answered with an order: {:?}", self.history.purchase(key));
    }

    /// People ask for the end of their accounts, those with a debt where orders wait for people; and while they leave,
    /// workflows die between two steps and are begun again.
    pub(crate) async fn leave(self, seed: u64, by_hand: bool, done: Arc<AtomicBool>) {
        let mut draws = Draws::new(seed, "leaving");
        let (everybody, asked) = (self.leavers(), self.history.all_leaving());
        let mut leavers = everybody.clone();
        leavers.retain(|leaver| {
            let is_answered = asked.get(&leaver.buyer.id).is_some_and(Leaving::is_answered);
            leaver.debt.is_some() == by_hand && !is_answered
        });
        for leaver in &leavers {
            self.pause(&done, draws.below(1_200)).await;
            if let Some(debt) = leaver.debt {
                self.owes(leaver, debt).await;
            }
            self.asks_to_leave(leaver).await;
        }
        let mut stopped = BTreeSet::new();
        let mut hours = if by_hand { 100 } else { 0 };
        while !done.load(Ordering::Relaxed) {
            self.pause(&done, 3_000).await;
            if self.deletions_begun().await.is_empty() {
                continue;
            }
            for execution in self.aws.running(WORKFLOW).await {
                let person = whose(&execution).to_owned();
                // Why somebody stays is Step Functions' to remember, and once the account is gone the day after.
                let is_free =
                    everybody.iter().any(|leaver| leaver.buyer.id == person && leaver.debt.is_none());
                let may_be_ended = is_free && self.status_of(&person).await.is_some();
                if may_be_ended && !stopped.contains(&person) && draws.chance(5_000) {
                    self.aws.stop(&execution).await;
                    stopped.insert(person);
                }
            }
            self.pause(&done, 3_000).await;
            let (begun, running) = (self.deletions_begun().await, self.aws.running(WORKFLOW).await);
            let at_work: BTreeSet<&str> = running.iter().map(whose).collect();
            if begun.iter().any(|person| !at_work.contains(person.as_str())) {
                hours += 1;
                self.begin_again(hours).await;
            }
            self.send_letters_again().await;
        }
    }

    /// Somebody comes to owe something, or to wait for it, which nobody sends.
    async fn owes(&self, leaver: &Leaver, debt: Debt) {
        let (id, key) = (&leaver.buyer.id, debt_of(&leaver.buyer.id));
        let (buyer, product) = match debt {
            Debt::Waits => (id, &self.products[1].1),
            Debt::Owes => (&self.buyers[0].id, &leaver.product),
        };
        let lines = vec![(product.id.clone(), 1)];
        let purchase = Purchase { asked: order_of(&lines), lines, ..Purchase::default() };
        self.history.begin(&key, of_leaver(buyer, purchase));
        for _ in 0..5 * PATIENCE {
            match self.ask(&key).await {
                Answered::Unknown(_) => sleep(millis(300)).await,
                Answered::Placed(_) | Answered::Refused(_) => return,
            }
        }
    }

    /// Whether something is owed by somebody or to somebody, as far as anybody was told. It is noted.
    fn is_owed_something(&self, person: &str) -> bool {
        let debt = self.history.purchase(&debt_of(person));
        let owes = debt.is_some_and(|purchase| purchase.order().is_some());
        self.history.leaving(person, |leaving| leaving.owes = owes);
        owes
    }

    /// Asks for the end of an account until there is a clear answer, right after another sign-in where one is possible.
    pub(crate) async fn asks_to_leave(&self, leaver: &Leaver) {
        for _ in 0..PATIENCE {
            let credentials = json!({ "email": leaver.person().email, "password": PASSWORD });
            let signed_in = self.shop.post("/sign-in", &credentials).await;
            let person = match signed_in.status {
                200 => leaver.person().clone().having(&signed_in.body),
                _ => leaver.person().clone(),
            };
            let answer = person.request(Method::DELETE, "/users/me").send().await;
            self.history.leaving(&leaver.buyer.id, |leaving| leaving.answers.push(answer.status));
            if is_clear(&answer) {
                return;
            }
            sleep(millis(200)).await;
        }
    }

    /// What the profile of somebody says of the account.
    async fn status_of(&self, person: &str) -> Option<String> {
        let profile = self.aws.item("UsersTable", ("userId", person)).await;
        let status = text(&profile, "status");
        profile.is_object().then(|| if status.is_empty() { "active".to_owned() } else { status })
    }

    /// Whose deletions are to be done, by what the sweep reads.
    async fn deletions_begun(&self) -> BTreeSet<String> {
        let begun = self.aws.item("GuardsTable", ("guardId", "unfinished#deletions")).await;
        let ids = begun["ids"]["SS"].as_array().into_iter().flatten();
        ids.filter_map(Value::as_str).map(str::to_owned).collect()
    }

    /// What the sweep does in an hour to come: at most one workflow is begun in an hour for each wish to leave.
    async fn begin_again(&self, hours: u64) {
        self.aws.invoke("sweep-accounts", &events::scheduled(Duration::from_hours(hours))).await;
    }

    /// Lets the lease of each sender be over who died with a letter about an account, and sends what became a dead
    /// letter by that once more: on AWS a message comes again when such a lease is over.
    async fn send_letters_again(&self) {
        end_dead_leases(self, "account.").await;
        let dead = self.aws.messages_in("EmailsDeadLetterQueueUrl").await;
        let dead: BTreeSet<String> = dead.into_iter().filter(|body| body.contains("\"account.")).collect();
        for body in dead {
            let letter: Value = body.parse().unwrap_or_default();
            // Behind the person it names the wish to leave.
            let person = letter["id"].as_str().and_then(|id| id.split('.').next());
            let status = self.status_of(person.unwrap_or_default()).await;
            let wanted = match letter["kind"].as_str() {
                Some("account.deleted") => status.as_deref() == Some("deleting"),
                Some("account.kept") => status.as_deref() == Some("active"),
                _ => false,
            };
            if wanted {
                self.aws.send_message("EmailsQueueUrl", &letter).await;
            }
        }
    }

    /// Afterwards: whoever owes nothing and is still there asks again, and what died is begun again, until everybody is
    /// gone or stays. What is not so within the bound is an invariant's to tell.
    pub(crate) async fn all_are_gone(&self) {
        let deadline = Instant::now() + Duration::from_mins(2);
        let mut hours = 200;
        loop {
            self.send_letters_again().await;
            let mut waits = Vec::new();
            let (asked, begun) = (self.history.all_leaving(), self.deletions_begun().await);
            for leaver in self.leavers() {
                let id = leaver.buyer.id.clone();
                let (status, owes) = (self.status_of(&id).await, self.is_owed_something(&id));
                let stays = status.as_deref() == Some("active");
                let is_answered = asked.get(&id).is_some_and(Leaving::is_answered);
                let asks = !is_answered || (stays && !owes);
                if asks {
                    self.asks_to_leave(&leaver).await;
                }
                if asks || begun.contains(&id) || !(status.is_none() || stays) {
                    waits.push(id);
                }
            }
            if waits.is_empty() || Instant::now() > deadline {
                return;
            }
            let running = self.aws.running(WORKFLOW).await;
            let is_at_work = |person: &String| running.iter().any(|one| whose(one) == person);
            if !waits.iter().all(is_at_work) {
                hours += 1;
                self.begin_again(hours).await;
            }
            sleep(millis(1_000)).await;
        }
    }

    /// The day after: what the workflow does last, once more, now that all has arrived that was under way. Here that
    /// may come later than the two seconds that the workflow waits for the day to be over.
    pub(crate) async fn a_day_later(&self) {
        for leaver in self.leavers() {
            if self.status_of(&leaver.buyer.id).await.is_some() {
                continue;
            }
            let mut task = json!({ "userId": leaver.buyer.id, "step": "later" });
            for _ in 0..100 {
                let taken = self.aws.invoke("forget-person", &task).await;
                if taken["step"].is_string() {
                    task = taken;
                }
                if task["isDone"] == true {
                    break;
                }
            }
            if task["isDone"] != true {
                self.history.left_unanswered(&format!("the day after the end of {}", leaver.buyer.id));
            }
        }
    }

    /// What is left of those who would leave.
    pub(crate) async fn what_is_left(&self) -> BTreeMap<String, Left> {
        let leavers = self.leavers();
        let words: Vec<String> = leavers.iter().flat_map(|leaver| leaver.marks.words.clone()).collect();
        let ids: Vec<String> = leavers.iter().flat_map(|leaver| leaver.marks.ids()).collect();
        let mut traces = self.aws.tables_with(&[words.clone(), ids.clone()].concat()).await;
        traces.extend(self.aws.keys_with(&ids).await);
        traces.extend(self.aws.queues_with(&words).await);
        traces.extend(self.aws.user_pool_with(&words).await);
        traces.extend(logs_with(&words));
        let mut left = BTreeMap::new();
        for leaver in leavers {
            let of_this = traces.iter().filter(|trace| leaver.marks.are_in(trace));
            let mail = self.shop.mail_to(&leaver.person().email).await;
            let count = |subject: &str| mail.iter().filter(|mail| mail.subject == subject).count();
            let what = Left {
                status: self.status_of(&leaver.buyer.id).await,
                places: of_this.map(|trace| trace.place.clone()).collect(),
                opens: self.what_opens(leaver.person()).await,
                deleted: count(DELETED),
                kept: count(KEPT),
            };
            left.insert(leaver.buyer.id, what);
        }
        left
    }

    /// What lets somebody in.
    async fn what_opens(&self, person: &Person) -> BTreeSet<&'static str> {
        let credentials = json!({ "email": person.email, "password": PASSWORD });
        let refresh = json!({ "refreshToken": person.tokens.refresh_token });
        let answers = [
            ("sign-in", self.shop.post("/sign-in", &credentials).await),
            ("refresh-token", self.shop.post("/refresh-token", &refresh).await),
            ("a token", person.get("/users/me").await),
        ];
        answers.into_iter().filter(|(_, answer)| answer.status < 400).map(|(what, _)| what).collect()
    }
}

/// Whom an execution deletes.
fn whose(execution: &Execution) -> &str {
    execution.input["userId"].as_str().unwrap_or_default()
}

/// Whether there is no need to ask again: it is begun, or they are gone.
fn is_clear(answer: &Answer) -> bool {
    [202, 404].contains(&answer.status)
}

/// Under which key something is ordered that keeps somebody.
fn debt_of(person: &str) -> String {
    format!("leaver-{person}-debt")
}

/// Asks for something that goes well as soon as the shop has time for it: much begins at the same moment.
async fn does(ask: impl Fn() -> Request) -> Value {
    for _ in 0..20 {
        let answer = ask().send().await;
        if answer.status < 300 {
            return answer.body;
        }
        let is_later = answer.status == 429 || answer.status >= 500;
        assert!(is_later, "{} answered {} {}", answer.request, answer.status, answer.body);
        sleep(millis(500)).await;
    }
    panic!("nobody had time for what somebody does who will leave");
}

fn lives_at(person: &Person, street: &str) -> Value {
    json!({ "name": person.full_name, "line1": street, "city": "Hamburg", "country": "DE" })
}

/// A purchase that is left as it is by all who send, cancel and review the others.
fn of_leaver(buyer: &str, purchase: Purchase) -> Purchase {
    Purchase { label: "somebody who leaves".into(), buyer: buyer.to_owned(), left_alone: true, ..purchase }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ann() -> Marks {
        Marks {
            words: vec!["ann@cartwright.test".into(), "Ann 5c1e07d2".into()],
            person: "ann".into(),
            product: "tea".into(),
            store: "tea house".into(),
            store_name: "zq5c1e07d2".into(),
        }
    }

    #[test]
    fn what_is_of_a_person_is_told_from_what_leads_nowhere() {
        let is_left =
            |place: &str, word: &str| ann().are_in(&Trace { place: place.into(), word: word.into() });
        for place in
            ["OrdersTable", "GuardsTable", "UsersTable", "user pool", "EmailsQueueUrl", "sign-in.log"]
        {
            assert!(is_left(place, "ann@cartwright.test") && is_left(place, "Ann 5c1e07d2"), "{place}");
            assert!(!is_left(place, "bob@cartwright.test"), "{place}");
        }
        for place in NAME_A_PERSON {
            assert!(is_left(place, "ann"), "{place}");
        }
        for place in
            ["OrdersTable", "PaymentsTable", "ReturnsTable", "SalesTable", "GuardsTable", "StoresTable"]
        {
            assert!(!is_left(place, "ann"), "{place}");
        }
        assert!(NAME_A_PRODUCT.iter().all(|place| is_left(place, "tea")));
        assert!(!is_left("CartsTable", "tea") && !is_left("OrdersTable", "tea"), "others have it");
        assert!(is_left("StoresTable", "zq5c1e07d2") && !is_left("StoresTable", "tea house"));
        assert!(["ann", "tea", "tea house"].iter().all(|id| is_left("MediaBucket", id)));
        assert!(!is_left("MediaBucket", "cup") && !is_left("UsersTable", "bob"));
    }

    #[test]
    fn what_can_name_a_person_is_there_of_each_before_they_leave() {
        let tables = NAME_A_PERSON.into_iter().chain(NAME_A_PRODUCT).chain([NAMES_A_STORE]);
        let missing: Vec<_> = tables.filter(|table| !EVERYWHERE.contains(table)).collect();
        assert_eq!(missing, ["ConnectionsTable", "MailTable"], "nobody listens, and no admin writes to them");
    }
}
