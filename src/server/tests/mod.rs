//! What needs the inside of the server, or a dialect that tests alone speak.

mod lines;
#[cfg(feature = "config")]
mod worker;
