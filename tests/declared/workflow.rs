//! The workflow and the code say the same: the outcomes that it chooses by, and the kinds of letters that it queues.

use std::collections::BTreeSet;
use std::iter::successors;

use orders::LetterKind;
use orders::workflow::{Released, Shipped};
use serde::Serialize;
use serde_json::Value;
use tests::template::yaml;

// A variant that is new does not compile until it has a place here.

fn all_shipped() -> impl Iterator<Item = Shipped> {
    successors(Some(Shipped::Shipped), |shipped| match shipped {
        Shipped::Shipped => Some(Shipped::AlreadyShipping),
        Shipped::AlreadyShipping => Some(Shipped::Cancelled),
        Shipped::Cancelled => Some(Shipped::Waits),
        Shipped::Waits => None,
    })
}

fn all_released() -> impl Iterator<Item = Released> {
    successors(Some(Released::Released), |released| match released {
        Released::Released => Some(Released::AlreadyCancelled),
        Released::AlreadyCancelled => Some(Released::AlreadyShipping),
        Released::AlreadyShipping => Some(Released::Waits),
        Released::Waits => None,
    })
}

/// What a task of the workflow answers, by name.
fn outcomes<T: Serialize>(all: impl Iterator<Item = T>) -> BTreeSet<String> {
    let name = |outcome| {
        let outcome = serde_json::to_value(outcome).expect("JSON");
        outcome["outcome"].as_str().expect("a name").to_owned()
    };
    all.map(name).collect()
}

/// The outcomes that the choice after a task knows, each in single quotes in one of its conditions.
fn chosen_by(workflow: &Value, task: &str) -> BTreeSet<String> {
    let choice = workflow["States"][task]["Next"].as_str().expect("what comes after the task");
    let choices = workflow["States"][choice]["Choices"].as_array().expect("choices");
    let conditions = choices.iter().map(|choice| choice["Condition"].as_str().expect("a condition"));
    conditions.flat_map(|condition| condition.split('\'').skip(1).step_by(2)).map(str::to_owned).collect()
}

#[test]
fn the_workflow_chooses_by_every_outcome_of_its_tasks_and_no_other() {
    let workflow = yaml("statemachines/order-fulfilment.asl.yaml");
    assert_eq!(chosen_by(&workflow, "ShipOrder"), outcomes(all_shipped()));
    assert_eq!(chosen_by(&workflow, "ReleaseOrder"), outcomes(all_released()));
}

#[test]
fn the_workflow_queues_every_kind_of_letter_but_that_of_the_arrival() {
    let workflow = yaml("statemachines/order-fulfilment.asl.yaml");
    let states = workflow["States"].as_object().expect("states").values();
    let queued: BTreeSet<_> =
        states.filter_map(|state| state["Arguments"]["MessageBody"]["kind"].as_str()).collect();
    // Which a person says.
    let expected = LetterKind::ALL.into_iter().filter(|kind| *kind != LetterKind::Delivered);
    assert_eq!(queued, expected.map(LetterKind::as_str).collect());
}
