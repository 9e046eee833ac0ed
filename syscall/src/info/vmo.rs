//! What is told about a VMO.

use core::mem::{offset_of, size_of};

use zerocopy::IntoBytes;

use super::Topic;
use crate::Name;

record! {
    /// Answer to [`Topic::VMO`], and one line of the answer to [`Topic::PROCESS_VMOS`].
    pub struct Vmo: 176 {
        /// The object.
        0 koid: u64,
        /// Its name.
        8 name: Name,
        /// The size in bytes.
        40 size_bytes: u64,
        /// The VMO it is a child of; 0 if it is none.
        48 parent_koid: u64,
        /// How many children it has.
        56 num_children: usize,
        /// How many mappings show it.
        64 num_mappings: usize,
        /// How many address spaces have a mapping of it.
        72 share_count: usize,
        /// Bits of `VmoInfoFlags`.
        80 flags: u32,
        /// Zero.
        84 padding: u32,
        /// Bytes of pages that are present.
        88 committed_bytes: u64,
        /// The rights of the handle; 0 if reported because of a mapping.
        96 handle_rights: u32,
        /// A `CachePolicy` as a number.
        100 cache_policy: u32,
        /// Bytes the kernel spends to keep track of the pages.
        104 metadata_bytes: u64,
        /// How often the committed bytes changed by the kernel's own doing.
        112 committed_change_events: u64,
        /// Committed bytes and those that are compressed.
        120 populated_bytes: u64,
        /// The committed bytes that no other VMO sees.
        128 committed_private_bytes: u64,
        /// The populated bytes that no other VMO sees.
        136 populated_private_bytes: u64,
        /// Committed bytes, each page divided by the VMOs that share it.
        144 committed_scaled_bytes: u64,
        /// Populated bytes, each page divided by the VMOs that share it.
        152 populated_scaled_bytes: u64,
        /// The fraction left out of `committed_scaled_bytes`; 2^63 stands for one byte.
        160 committed_fractional_scaled_bytes: u64,
        /// The fraction left out of `populated_scaled_bytes`; 2^63 stands for one byte.
        168 populated_fractional_scaled_bytes: u64,
    }
}

impl Vmo {
    /// The bytes of a record in `topic`, one of [`Topic::VMO`], [`Topic::PROCESS_VMOS`] and their older versions.
    ///
    /// Each version only added fields at the end.
    pub const fn size_in(topic: Topic) -> usize {
        match topic {
            Topic::VMO_V1 | Topic::PROCESS_VMOS_V1 => offset_of!(Self, metadata_bytes),
            Topic::VMO_V2 | Topic::PROCESS_VMOS_V2 => offset_of!(Self, populated_bytes),
            Topic::VMO_V3 | Topic::PROCESS_VMOS_V3 => offset_of!(Self, committed_private_bytes),
            _ => size_of::<Self>(),
        }
    }

    /// The record as `topic` has it.
    pub fn as_answer_to(&self, topic: Topic) -> &[u8] {
        &self.as_bytes()[..Self::size_in(topic)]
    }
}

#[cfg(test)]
mod tests {
    use super::Vmo;
    use crate::Topic;

    #[test]
    fn older_versions_of_a_vmo_record_are_its_beginning() {
        let topics = [Topic::VMO_V1, Topic::VMO_V2, Topic::VMO_V3, Topic::VMO];
        let sizes = topics.map(|topic| Vmo::default().as_answer_to(topic).len());
        assert_eq!(sizes, [104, 120, 128, 176]);
        let topics = [
            Topic::PROCESS_VMOS_V1,
            Topic::PROCESS_VMOS_V2,
            Topic::PROCESS_VMOS_V3,
            Topic::PROCESS_VMOS,
        ];
        assert_eq!(topics.map(Vmo::size_in), sizes);
    }
}
