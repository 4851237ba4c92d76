//! What needs the inside of the server.

mod lines;
mod scene;
#[cfg(feature = "config")]
mod worker;
