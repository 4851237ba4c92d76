pub mod hub;
pub mod net;
pub mod wire;
