//! The plan, case by case: what is observed on the left, what is done about it on the right.

mod content;
mod decision;
mod deletion;
mod drift;
mod fixture;
mod identity;
mod status;
mod waits;
