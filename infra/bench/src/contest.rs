//! Who is measured, and how: each function of the order's way on the emulator first, which records what AWS answers,
//! then each by itself against those replies, turn and turn about, so that a busy moment of the machine hits all alike.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use axum::body::Bytes;
use serde_json::{Value, json};

use super::double::Asked;
use super::events;
use super::figures::{Figures, Samples};
use super::function::{Function, Program};
use super::scene::{self, Scene};

/// A function in one of its roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Case {
    /// What the tables call it.
    pub name: &'static str,
    /// Its binary.
    pub function: &'static str,
}

/// The binaries that go by the name of their case.
pub(super) const BARE: &str = "bare-sdk";
pub(super) const LIMIT: &str = "rate-limit";

pub(super) const fn case(name: &'static str, function: &'static str) -> Case {
    Case { name, function }
}

pub(super) const CREATE_ORDER: Case = case("create-order", "create-order");
pub(super) const GET_PRODUCT: Case = case("get-product", "get-product");
pub(super) const LIST_PRODUCTS: Case = case("list-products", "list-products");
pub(super) const SIGN_IN: Case = case("sign-in", "sign-in");
pub(super) const CONSUME_ORDERS: Case = case("consume-orders", "consume-orders");
pub(super) const CONFIRM: Case = case("send-email (confirmed)", "send-email");
pub(super) const SHIP_ORDER: Case = case("ship-order", "ship-order");
pub(super) const SHIPPING: Case = case("send-email (shipping)", "send-email");

pub(super) const PUBLISH: Case = case("publish-events", "publish-events");
pub(super) const RECORD: Case = case("record-activity", "record-activity");
pub(super) const HAND_OVER: Case = case("hand-over-stock", "hand-over-stock");

pub(super) const ADD_ITEM: Case = case("add-cart-item", "add-cart-item");
pub(super) const SEE_ONE: Case = case("get-cart (1 line)", "get-cart");
pub(super) const SEE_ALL: Case = case("get-cart (50 lines)", "get-cart");
pub(super) const BUY_ONE: Case = case("check-out-cart (1, cash)", "check-out-cart");
pub(super) const BUY_ALL: Case = case("check-out-cart (50, cash)", "check-out-cart");
pub(super) const PAY_ALL: Case = case("check-out-cart (50, card)", "check-out-cart");
pub(super) const PAY_ONE: Case = case("check-out-cart (1, card)", "check-out-cart");
pub(super) const HEAR: Case = case("receive-stripe-event", "receive-stripe-event");
pub(super) const TELL: Case = case("settle-payment", "settle-payment");

/// The five that the targets are about.
pub(super) const FIVE: [Case; 5] = [CREATE_ORDER, GET_PRODUCT, LIST_PRODUCTS, SIGN_IN, CONSUME_ORDERS];
/// An order's way, from the click to the shipping email.
pub(super) const WAY: [Case; 5] = [CREATE_ORDER, CONSUME_ORDERS, CONFIRM, SHIP_ORDER, SHIPPING];
/// Those of them that show what is sold.
pub(super) const READS: [Case; 2] = [GET_PRODUCT, LIST_PRODUCTS];
/// Those of carts, each with what its cart is to have when it is called, in lines.
pub(super) const OF_CARTS: [(Case, u32); 7] = [
    (ADD_ITEM, 1),
    (SEE_ONE, 1),
    (SEE_ALL, MOST_LINES),
    (BUY_ONE, 1),
    (BUY_ALL, MOST_LINES),
    (PAY_ALL, MOST_LINES),
    (PAY_ONE, 1),
];
/// As many as a cart can have.
const MOST_LINES: u32 = 50;
/// All of them, in the order in which they are called. Three are called by what an order tells on its way; then come
/// carts, what Stripe tells of the last order that is paid by card, and what it is told when that was confirmed.
pub(super) const ALL: [Case; 20] = [
    GET_PRODUCT,
    LIST_PRODUCTS,
    SIGN_IN,
    CREATE_ORDER,
    CONSUME_ORDERS,
    CONFIRM,
    SHIP_ORDER,
    SHIPPING,
    PUBLISH,
    RECORD,
    HAND_OVER,
    ADD_ITEM,
    SEE_ONE,
    SEE_ALL,
    BUY_ONE,
    BUY_ALL,
    PAY_ALL,
    PAY_ONE,
    HEAR,
    TELL,
];

/// Who runs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Side {
    /// This repository's binary.
    Cartwright,
    /// The Node.js baseline.
    Node,
    /// The SDK's calls alone.
    Bare,
    /// This repository's binary as it was built elsewhere.
    Beside,
    /// A function that does nothing.
    Floor,
}

impl Side {
    const fn name(self) -> &'static str {
        match self {
            Self::Cartwright => "cartwright",
            Self::Node => "node",
            Self::Bare => "bare",
            Self::Beside => "beside",
            Self::Floor => "floor",
        }
    }
}

/// Where the programs are.
pub(super) struct Programs {
    /// The release binaries.
    pub binaries: PathBuf,
    /// Those of another build, if they are to be measured as well.
    pub beside: Option<PathBuf>,
    /// The bundles of the Node.js baseline, if there is Node.js.
    pub node: Option<crate::node::Baseline>,
    /// Where what they say goes.
    pub logs: PathBuf,
}

impl Programs {
    /// How `side` runs the function; `None` where it does not have it.
    fn program(&self, side: Side, case: Case, scene: &Scene) -> Option<Program> {
        let mut environment = scene.environment.clone();
        if side == Side::Bare || [BARE, LIMIT].contains(&case.function) {
            environment.push(("BENCH_CASE".into(), case.name.into()));
        }
        let binary = |name: &str| self.binaries.join(name);
        let (command, arguments, files) = match side {
            Side::Cartwright => (binary(case.function), vec![], vec![binary(case.function)]),
            Side::Beside => {
                let binary = self.beside.as_ref()?.join(case.function);
                if !binary.exists() {
                    return None;
                }
                (binary.clone(), vec![], vec![binary])
            }
            Side::Floor => (binary("floor"), vec![], vec![binary("floor")]),
            Side::Bare => {
                if !is_bare(case) {
                    return None;
                }
                (binary(BARE), vec![], vec![binary(BARE)])
            }
            Side::Node => {
                let node = self.node.as_ref()?;
                let bundle = node.bundle(case.function)?;
                (node.command.clone(), vec![node.runtime.clone().into(), bundle.clone().into()], vec![bundle])
            }
        };
        Some(Program { command, arguments, files, environment })
    }

    async fn start(&self, side: Side, case: Case, program: &Program) -> Result<Function> {
        let log = self.logs.join(format!("{}-{}.log", side.name(), case.function));
        let started = Function::start(program, &log).await;
        started.with_context(|| format!("{} of {}", case.function, side.name()))
    }

    fn sides(&self) -> Vec<Side> {
        [Side::Cartwright, Side::Node]
            .into_iter()
            .filter(|side| *side != Side::Node || self.node.is_some())
            .collect()
    }
}

/// Whether the bare SDK makes the calls of a case: of all but those that are called by what an order tells.
fn is_bare(case: Case) -> bool {
    let of_payments = [HEAR, TELL];
    let of_carts = OF_CARTS.iter().map(|(case, _)| case);
    FIVE.iter().chain(&WAY).chain(of_carts).chain(&of_payments).any(|known| *known == case)
}

/// What a recording is called.
fn recording(side: Side, case: &str) -> String {
    format!("{} {case}", side.name())
}

/// What was seen on the emulator.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    /// What AWS was asked in all requests together.
    pub asked: Vec<Asked>,
    /// How long each took.
    pub took: Vec<Duration>,
    /// The last event, which the replies that are kept belong to.
    pub event: Bytes,
    /// How large the last answer was, in bytes.
    pub answer: usize,
}

pub(super) type SeenBySide = BTreeMap<(Side, &'static str), Seen>;

/// What a turn has come to so far.
#[derive(Debug, Default)]
struct Turn {
    /// The order that goes all the way.
    order: String,
    /// The last order that is to be paid by card, as its answer has it.
    awaiting: Value,
}

/// Sends so many orders all the way, by each side, over the emulator.
///
/// # Errors
/// A function fails or refuses.
pub(super) async fn on_the_emulator(scene: &Scene, programs: &Programs, times: u32) -> Result<SeenBySide> {
    let mut all = SeenBySide::new();
    for side in programs.sides() {
        let mut functions = BTreeMap::new();
        for case in ALL {
            let Some(program) = programs.program(side, case, scene) else { continue };
            if !functions.contains_key(case.function) {
                functions.insert(case.function, programs.start(side, case, &program).await?);
            }
        }
        for turn in 0..times {
            let mut so_far = Turn::default();
            for case in ALL {
                let Some(function) = functions.get_mut(case.function) else { continue };
                if let Some(lines) = lines_of(case) {
                    scene.fill_cart(lines).await?;
                }
                let event = event(scene, case, &so_far, &format!("{}-{turn}", side.name()))?;
                let seen = all.entry((side, case.name)).or_default();
                let answer = observe(scene, side, case, function, event, seen).await?;
                if [CREATE_ORDER, PAY_ONE].contains(&case) {
                    let body: Value = serde_json::from_str(answer["body"].as_str().unwrap_or_default())?;
                    let order = body["orderId"].as_str().context("the answer has no orderId")?;
                    match case {
                        CREATE_ORDER => so_far.order = order.to_owned(),
                        _ => so_far.awaiting = body,
                    }
                }
            }
        }
    }
    Ok(all)
}

async fn observe(
    scene: &Scene,
    side: Side,
    case: Case,
    function: &mut Function,
    event: Bytes,
    seen: &mut Seen,
) -> Result<Value> {
    scene.double.record(&recording(side, case.name));
    let answer = function.call(&event).await.with_context(|| format!("{} of {}", case.name, side.name()))?;
    seen.asked.push(scene.double.asked());
    seen.took.push(answer.took);
    seen.event = event;
    seen.answer = answer.body.len();
    let said = good(&answer.body).with_context(|| format!("{} of {}", case.name, side.name()))?;
    Ok(said)
}

/// The answer, if it is no refusal and gives no message back.
fn good(answer: &[u8]) -> Result<Value> {
    let answer: Value = serde_json::from_slice(answer).context("the answer is no JSON")?;
    let refused = answer["statusCode"].as_u64().is_some_and(|status| !(200..300).contains(&status));
    let failed = answer["batchItemFailures"].as_array().is_some_and(|failures| !failures.is_empty());
    if refused || failed {
        bail!("it answered {answer}");
    }
    Ok(answer)
}

/// How many lines the cart is to have that a case is about.
fn lines_of(case: Case) -> Option<u32> {
    OF_CARTS.into_iter().find(|(one, _)| *one == case).map(|(_, lines)| lines)
}

fn event(scene: &Scene, case: Case, Turn { order, awaiting }: &Turn, key: &str) -> Result<Bytes> {
    let check_out = |method| {
        let (lines, key) = (lines_of(case).unwrap_or_default(), format!("{key} {}", case.name));
        events::check_out(&scene.buyer, scene::sum(lines), method, &key.replace([' ', '(', ')', ','], "-"))
    };
    Ok(match case {
        ADD_ITEM => events::add_cart_item(&scene.buyer, &scene::id(2)),
        SEE_ONE | SEE_ALL => events::get_cart(&scene.buyer),
        BUY_ONE | BUY_ALL => check_out("cash_on_delivery"),
        PAY_ONE | PAY_ALL => check_out("card"),
        HEAR => events::paid(awaiting, key)?,
        TELL => {
            let order = awaiting["orderId"].as_str().context("no order was paid by card")?;
            events::order_confirmed(order)
        }
        CREATE_ORDER => events::create_order(&scene.buyer, &scene::id(1), key),
        GET_PRODUCT => events::get_product(&scene::id(1)),
        LIST_PRODUCTS => events::list_products(None),
        SIGN_IN => events::sign_in(&scene.buyer),
        CONSUME_ORDERS => events::order_queued(order),
        CONFIRM => events::email_queued("order.confirmed", order),
        SHIP_ORDER => events::task(order),
        PUBLISH => shipped(scene)?,
        RECORD | HAND_OVER => events::order_shipped(&scene.buyer, order),
        _ => events::email_queued("order.shipping", order),
    })
}

/// What the stream of the Orders table says of an order that ships.
fn shipped(scene: &Scene) -> Result<Bytes> {
    let image = |statuses| scene::order_with_history(&scene.buyer, 1, statuses);
    let key = json!({ "orderId": { "S": scene::id(1) } });
    let table = scene.variable("ORDERS_TABLE")?;
    Ok(events::changed(table, &key, &image(&["pending"]), &image(&["pending", "shipping"])))
}

/// How often and how much.
#[derive(Clone, Copy, Debug)]
pub(super) struct Effort {
    /// How often each is started.
    pub rounds: u32,
    /// How often each is called in a round, after it is warm.
    pub requests: u32,
}

/// Not counted: a just-in-time compiler needs them.
const WARM_UP: u32 = 50;

/// Starts each of `cases` by every side in turn, and calls it again and again.
///
/// # Errors
/// A function fails.
pub(super) async fn against_recordings(
    scene: &Scene,
    programs: &Programs,
    cases: &[Case],
    seen: &SeenBySide,
    effort: Effort,
    mut progress: impl FnMut(u32, Case),
) -> Result<BTreeMap<(Side, &'static str), Figures>> {
    let mut samples: BTreeMap<(Side, &'static str), Samples> = BTreeMap::new();
    for round in 0..effort.rounds {
        for case in cases {
            progress(round, *case);
            for side in [Side::Floor, Side::Bare, Side::Cartwright, Side::Beside, Side::Node] {
                let Some(program) = programs.program(side, *case, scene) else { continue };
                let own = if side == Side::Node { Side::Node } else { Side::Cartwright };
                let Some(seen) = seen.get(&(own, case.name)) else { continue };
                scene.double.play(&recording(own, case.name));
                let event = match side {
                    Side::Floor => Bytes::from_static(b"{}"),
                    // It is minutes old by now.
                    _ if *case == HEAR => events::signed_anew(&seen.event)?,
                    _ => seen.event.clone(),
                };
                let name = if side == Side::Floor { "floor" } else { case.name };
                let of_side = samples.entry((side, name)).or_default();
                let mut function = programs.start(side, *case, &program).await?;
                let outcome = measure(&mut function, &event, effort.requests, of_side).await;
                outcome.with_context(|| format!("{} of {}", case.name, side.name()))?;
                of_side.measure_files(&program.files)?;
            }
        }
    }
    Ok(samples.into_iter().map(|(who, samples)| (who, samples.figures())).collect())
}

async fn measure(function: &mut Function, event: &Bytes, requests: u32, samples: &mut Samples) -> Result<()> {
    samples.initialisation.push(function.initialisation);
    samples.cpu_of_start.push(function.cpu()?);
    samples.first.push(took(function, event).await?);
    for _ in 0..WARM_UP.min(requests) {
        took(function, event).await?;
    }
    let before = function.cpu()?;
    for _ in 0..requests {
        samples.warm.push(took(function, event).await?);
    }
    samples.cpu.push((function.cpu()? - before) / requests.max(1));
    samples.peak_memory.push(function.peak_memory()?);
    Ok(())
}

/// How long a good answer took. A refusal is no figure: it may come sooner, or after calls that were tried again.
async fn took(function: &mut Function, event: &Bytes) -> Result<Duration> {
    let answer = function.call(event).await?;
    good(&answer.body).map(|_| answer.took)
}

/// The same function asked for lists of other lengths: see [`super::growth`].
///
/// # Errors
/// A function fails.
pub(super) async fn list(
    scene: &Scene,
    programs: &Programs,
    kind: Kind,
    (case, event): (Case, Bytes),
    effort: Effort,
) -> Result<BTreeMap<Side, (Seen, Figures)>> {
    let all = in_turn(scene, programs, kind, &[(case, event)], effort).await?;
    Ok(all.into_iter().map(|((side, _), measured)| (side, measured)).collect())
}

/// Whether what is asked can be asked again.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A list or a page. It is asked twice over the emulator: which stores are hidden is read with the first answer and
    /// then not for some seconds, so the next call of AWS is another one.
    Read,
    /// What changes something, and would change nothing the second time.
    Write,
}

/// Several cases, each asked over the emulator, and then in turn against what that answered.
///
/// # Errors
/// A function fails.
pub(super) async fn in_turn(
    scene: &Scene,
    programs: &Programs,
    kind: Kind,
    asked: &[(Case, Bytes)],
    effort: Effort,
) -> Result<BTreeMap<(Side, &'static str), (Seen, Figures)>> {
    let mut seen_by_side = SeenBySide::new();
    for (case, event) in asked {
        for side in programs.sides() {
            let Some(program) = programs.program(side, *case, scene) else { continue };
            let mut function = programs.start(side, *case, &program).await?;
            for _ in 0..if kind == Kind::Read { 2 } else { 1 } {
                let mut seen = Seen::default();
                observe(scene, side, *case, &mut function, event.clone(), &mut seen).await?;
                seen_by_side.insert((side, case.name), seen);
            }
        }
    }
    let cases: Vec<_> = asked.iter().map(|(case, _)| *case).collect();
    let figures = against_recordings(scene, programs, &cases, &seen_by_side, effort, |_, _| ()).await?;
    let seen = |who| seen_by_side.get(&who).cloned();
    Ok(figures.into_iter().filter_map(|(who, figures)| Some((who, (seen(who)?, figures)))).collect())
}

/// What this repository's function asks of AWS for one event.
///
/// # Errors
/// It fails or refuses.
pub(super) async fn once(scene: &Scene, programs: &Programs, case: Case, event: Bytes) -> Result<Asked> {
    let side = Side::Cartwright;
    let program = programs.program(side, case, scene).context("this repository has every function")?;
    let mut function = programs.start(side, case, &program).await?;
    let mut seen = Seen::default();
    observe(scene, side, case, &mut function, event, &mut seen).await?;
    Ok(seen.asked.pop().unwrap_or_default())
}

/// Makes the directory that the functions' words go to.
///
/// # Errors
/// The disk's.
pub(super) fn logs_in(dir: &Path) -> Result<PathBuf> {
    let logs = dir.join("logs");
    std::fs::create_dir_all(&logs).with_context(|| format!("cannot create {}", logs.display()))?;
    Ok(logs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bare_sdk_stands_beside_all_but_what_an_order_tells() {
        let without: Vec<_> = ALL.into_iter().filter(|case| !is_bare(*case)).collect();
        assert_eq!(without, [PUBLISH, RECORD, HAND_OVER]);
        assert!(!is_bare(case("list-orders", "list-orders")));
        // It knows them by their names.
        let known = [
            include_str!("../baselines/src/bin/bare-sdk/main.rs"),
            include_str!("../baselines/src/bin/bare-sdk/carts.rs"),
            include_str!("../baselines/src/bin/bare-sdk/payments.rs"),
        ];
        for case in ALL.into_iter().filter(|case| is_bare(*case)) {
            let arm = format!("\"{}\" =>", case.name);
            assert!(known.iter().any(|source| source.contains(&arm)), "bare-sdk has no {arm}");
        }
    }
}
