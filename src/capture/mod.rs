//! What is seen on the wire: for Wireshark, and for those who study.
//!
//! - [`dissector`] teaches Wireshark the native frames.

pub mod dissector;
