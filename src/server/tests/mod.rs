//! What needs the inside of the server.

#[cfg(feature = "storage")]
mod keeping;
mod limits;
mod lines;
mod scene;
mod waiting;
#[cfg(feature = "config")]
mod worker;
