//! What tests alone have.

pub mod lines;
