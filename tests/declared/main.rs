//! What needs nothing but this repository: that template, contract, code and documents say the same, and keep the rules
//! of the house; and the lives of an order and of its payments as models.

mod arrows;
mod contract;
mod delivery_model;
mod documents;
mod events;
mod exploring;
mod operations;
mod order_model;
mod payment_model;
mod refund_model;
mod releases;
mod samples;
mod template;
mod told;
mod workflow;
