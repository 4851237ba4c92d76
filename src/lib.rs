#[cfg(feature = "client")]
pub mod chat;
pub mod hub;
pub mod net;
pub mod wire;
