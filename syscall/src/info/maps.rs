//! What is told about the regions and mappings of an address space.

use core::mem::{offset_of, size_of};

use super::Topic;
use crate::{Name, PAGE_SIZE};

record! {
    /// Answer to [`Topic::VMAR`].
    pub struct Vmar: 16 {
        /// The first address.
        0 base: usize,
        /// The size in bytes.
        8 len: usize,
    }
}

/// The kind of a [`Map`] record.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[repr(u32)]
pub enum MapKind {
    /// Nothing.
    None = 0,
    /// A whole address space.
    AddressSpace = 1,
    /// A region.
    Vmar = 2,
    /// A mapping.
    Mapping = 3,
}

impl MapKind {
    /// The kind with this number; `None` if there is none.
    pub const fn from_raw(raw: u32) -> Option<Self> {
        match raw {
            0 => Some(Self::None),
            1 => Some(Self::AddressSpace),
            2 => Some(Self::Vmar),
            3 => Some(Self::Mapping),
            _ => None,
        }
    }
}

record! {
    /// One line of the answers to [`Topic::VMAR_MAPS`] and [`Topic::PROCESS_MAPS`].
    pub struct Map: 152 {
        /// The name of the region or of the mapped VMO.
        0 name: Name,
        /// The first address.
        32 base: usize,
        /// The size in bytes.
        40 size: usize,
        /// The depth in the tree; the first record has 0.
        48 depth: usize,
        /// A [`MapKind`] as a number.
        56 kind: u32,
        /// Zero.
        60 padding: u32,
        /// What is mapped; all zero unless the record is a mapping.
        64 mapping: Mapping,
    }
}

record! {
    /// What a [`Map`] record of kind [`MapKind::Mapping`] shows.
    pub struct Mapping: 88 {
        /// The current permissions, as bits of the `ZX_VM_*` word.
        0 mmu_flags: u32,
        /// Zero.
        4 padding: u32,
        /// The VMO.
        8 vmo_koid: u64,
        /// The place in the VMO, in bytes, that the first address shows.
        16 vmo_offset: u64,
        /// Bytes of pages that are present.
        24 committed_bytes: usize,
        /// Committed bytes and those that are compressed.
        32 populated_bytes: usize,
        /// The committed bytes that no other VMO sees.
        40 committed_private_bytes: usize,
        /// The populated bytes that no other VMO sees.
        48 populated_private_bytes: usize,
        /// Committed bytes, each page divided by the VMOs that share it.
        56 committed_scaled_bytes: usize,
        /// Populated bytes, each page divided by the VMOs that share it.
        64 populated_scaled_bytes: usize,
        /// The fraction left out of `committed_scaled_bytes`; 2^63 stands for one byte.
        72 committed_fractional_scaled_bytes: u64,
        /// The fraction left out of `populated_scaled_bytes`; 2^63 stands for one byte.
        80 populated_fractional_scaled_bytes: u64,
    }
}

impl Map {
    /// The size in bytes of the record that `topic` has; it is the current one for all but the older
    /// versions of [`Topic::PROCESS_MAPS`].
    pub const fn size_in(topic: Topic) -> usize {
        let mapping = offset_of!(Self, mapping);
        match topic {
            Topic::PROCESS_MAPS_V1 => mapping + offset_of!(Mapping, populated_bytes),
            Topic::PROCESS_MAPS_V2 => mapping + offset_of!(Mapping, committed_private_bytes),
            _ => size_of::<Self>(),
        }
    }

    /// The record whose first [`size_in`](Self::size_in) bytes are what `topic` has.
    #[must_use]
    pub const fn in_version_of(mut self, topic: Topic) -> Self {
        if topic.into_raw() == Topic::PROCESS_MAPS_V1.into_raw() {
            self.mapping.committed_bytes /= PAGE_SIZE;
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::{Map, Mapping};
    use crate::{PAGE_SIZE, Topic};

    #[test]
    fn older_versions_of_a_map_record_are_shorter_and_the_first_one_counts_pages() {
        let topics = [
            Topic::PROCESS_MAPS_V1,
            Topic::PROCESS_MAPS_V2,
            Topic::PROCESS_MAPS,
            Topic::VMAR_MAPS,
        ];
        assert_eq!(topics.map(Map::size_in), [96, 104, 152, 152]);
        let mapping = Mapping {
            committed_bytes: 3 * PAGE_SIZE,
            ..Mapping::default()
        };
        let map = Map {
            mapping,
            ..Map::default()
        };
        let committed = topics.map(|topic| map.in_version_of(topic).mapping.committed_bytes);
        assert_eq!(committed, [3, 3 * 4096, 3 * 4096, 3 * 4096]);
    }
}
