//! What is told about a resource.

use crate::Name;

record! {
    /// Answer to [`Topic::RESOURCE`](super::Topic::RESOURCE).
    pub struct Resource: 56 {
        /// A `ResourceKind` as a number.
        0 kind: u32,
        /// The flags it was made with.
        4 flags: u32,
        /// The first number that it covers.
        8 base: u64,
        /// How many numbers it covers.
        16 size: u64,
        /// Its name.
        24 name: Name,
    }
}
