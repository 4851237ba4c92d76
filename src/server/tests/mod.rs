//! What needs the inside of the server.

mod limits;
mod lines;
mod scene;
#[cfg(feature = "config")]
mod worker;
