//! What is in a region: one record per region and mapping.

use core::fmt::{self, Display, Formatter};
use core::mem::{offset_of, size_of};

use syscall::info;
use syscall::vmaps::MapLine;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::{Koid, Name, Status, VmarFlagsExtended, sys};

/// One region or mapping, as a line of a tree in pre-order.
///
/// Same layout as the kernel's record. The part about a mapping is all zero unless it is one; only
/// [`MapInfo::new`] and the kernel write it.
#[derive(Clone, Copy, Debug, Eq, FromBytes, Immutable, IntoBytes, KnownLayout, PartialEq)]
#[repr(C)]
pub struct MapInfo {
    /// The name of the region or of the mapped VMO.
    pub name: Name,
    /// The first address.
    pub base: usize,
    /// The size in bytes.
    pub size: usize,
    /// The depth in the tree; the first record has 0.
    pub depth: usize,
    r#type: u32,
    padding: u32,
    u: MappingDetails,
}

/// What a mapping shows.
#[derive(
    Clone, Copy, Debug, Default, Eq, FromBytes, Immutable, IntoBytes, KnownLayout, PartialEq,
)]
#[repr(C)]
pub struct MappingDetails {
    /// The current permissions.
    pub mmu_flags: VmarFlagsExtended,
    /// Zero.
    pub padding: u32,
    /// The VMO.
    pub vmo_koid: Koid,
    /// The place in the VMO, in bytes, that the first address shows.
    pub vmo_offset: u64,
    /// Bytes of pages that are present.
    pub committed_bytes: usize,
    /// Committed bytes and those that are compressed.
    pub populated_bytes: usize,
    /// The committed bytes that no other VMO sees.
    pub committed_private_bytes: usize,
    /// The populated bytes that no other VMO sees.
    pub populated_private_bytes: usize,
    /// Committed bytes, each page divided by the VMOs that share it.
    pub committed_scaled_bytes: usize,
    /// Populated bytes, each page divided by the VMOs that share it.
    pub populated_scaled_bytes: usize,
    /// The fraction left out of `committed_scaled_bytes`; 2^63 stands for one byte.
    pub committed_fractional_scaled_bytes: u64,
    /// The fraction left out of `populated_scaled_bytes`; 2^63 stands for one byte.
    pub populated_fractional_scaled_bytes: u64,
}

const _: () = {
    assert!(size_of::<MapInfo>() == size_of::<sys::zx_info_maps_t>());
    assert!(size_of::<MappingDetails>() == size_of::<sys::zx_info_maps_mapping_t>());
    assert!(offset_of!(MapInfo, r#type) == offset_of!(info::Map, kind));
    assert!(offset_of!(MapInfo, u) == offset_of!(info::Map, mapping));
    assert!(
        offset_of!(MappingDetails, committed_bytes) == offset_of!(info::Mapping, committed_bytes)
    );
    assert!(
        offset_of!(MappingDetails, populated_fractional_scaled_bytes)
            == offset_of!(info::Mapping, populated_fractional_scaled_bytes)
    );
};

/// What kind of thing a record is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum MapDetails<'a> {
    /// A kind this version does not know.
    Unknown,
    /// Nothing.
    None,
    /// A whole address space.
    AddressSpace,
    /// A region.
    Vmar,
    /// A mapping.
    Mapping(&'a MappingDetails),
}

impl MapInfo {
    /// Makes a record.
    ///
    /// # Errors
    /// - `INVALID_ARGS`: `details` are `Unknown`.
    pub fn new(
        name: Name,
        base: usize,
        size: usize,
        depth: usize,
        details: MapDetails<'_>,
    ) -> Result<Self, Status> {
        let (r#type, u) = match details {
            MapDetails::Unknown => return Err(Status::INVALID_ARGS),
            MapDetails::None => (sys::ZX_INFO_MAPS_TYPE_NONE, MappingDetails::default()),
            MapDetails::AddressSpace => (sys::ZX_INFO_MAPS_TYPE_ASPACE, MappingDetails::default()),
            MapDetails::Vmar => (sys::ZX_INFO_MAPS_TYPE_VMAR, MappingDetails::default()),
            MapDetails::Mapping(mapping) => (sys::ZX_INFO_MAPS_TYPE_MAPPING, *mapping),
        };
        Ok(Self {
            name,
            base,
            size,
            depth,
            r#type,
            padding: 0,
            u,
        })
    }

    /// What kind of thing the record is about.
    pub fn details(&self) -> MapDetails<'_> {
        match self.r#type {
            sys::ZX_INFO_MAPS_TYPE_NONE => MapDetails::None,
            sys::ZX_INFO_MAPS_TYPE_ASPACE => MapDetails::AddressSpace,
            sys::ZX_INFO_MAPS_TYPE_VMAR => MapDetails::Vmar,
            sys::ZX_INFO_MAPS_TYPE_MAPPING => MapDetails::Mapping(&self.u),
            _ => MapDetails::Unknown,
        }
    }

    /// The details of a mapping, if the record is about one.
    pub fn as_mapping(&self) -> Option<&MappingDetails> {
        match self.details() {
            MapDetails::Mapping(mapping) => Some(mapping),
            _ => None,
        }
    }
}

/// One line of `vmaps`.
impl Display for MapInfo {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let record: &info::Map = zerocopy::transmute_ref!(self);
        MapLine(record).fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use zerocopy::IntoBytes;

    use super::{MapDetails, MapInfo, MappingDetails};
    use crate::{Koid, Name, Status, VmarFlagsExtended};

    fn record(details: MapDetails<'_>) -> Result<MapInfo, Status> {
        MapInfo::new(Name::new_lossy("stack"), 0x40_0000, 0x2000, 3, details)
    }

    #[test]
    fn new_refuses_an_unknown_kind() {
        assert_eq!(record(MapDetails::Unknown), Err(Status::INVALID_ARGS));
    }

    #[test]
    fn details_give_back_what_new_was_given() {
        let mapping = MappingDetails {
            mmu_flags: VmarFlagsExtended::PERM_READ,
            vmo_koid: Koid::from_raw(1030),
            ..MappingDetails::default()
        };
        let all = [
            MapDetails::None,
            MapDetails::AddressSpace,
            MapDetails::Vmar,
            MapDetails::Mapping(&mapping),
        ];
        for details in all {
            assert_eq!(record(details).unwrap().details(), details);
        }
        assert_eq!(record(MapDetails::Vmar).unwrap().as_mapping(), None);
        let shown = record(MapDetails::Mapping(&mapping)).unwrap();
        assert_eq!(shown.as_mapping(), Some(&mapping));
    }

    #[test]
    fn only_a_mapping_has_bytes_beyond_the_kind() {
        let region = record(MapDetails::Vmar).unwrap();
        assert!(region.as_bytes()[64..].iter().all(|byte| *byte == 0));
    }
}
