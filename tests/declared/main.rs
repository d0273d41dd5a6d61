//! What needs nothing but this repository: that template, contract, code and documents say the same, and keep the rules
//! of the house; and the lives of an order and of its payments as models.

mod arrows;
mod contract;
mod documents;
mod events;
mod operations;
mod order_model;
mod payment_model;
mod releases;
mod samples;
mod template;
mod workflow;
