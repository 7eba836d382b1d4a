//! The portal by HTTP, with a sandbox behind it.

mod crash;
mod fire;
mod pages;
mod postgres;
mod reconcile;
mod safety;
mod stage;
mod story;
