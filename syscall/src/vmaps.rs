//! How a [`Map`] record reads as one line of `vmaps`.
//!
//! The kernel's monitor, its fault reports and the programs all print address spaces, so the one way to
//! lay out such a line stands here. The columns are those of Fuchsia's `vmaps`: kind indented by depth,
//! range, permissions, size, resident bytes, VMO and name.
//!
//! ```text
//! R       0000000000200000-00007ffffffff000       127.9T:sz                      'root'
//!  R      0000000000400000-0000000000419000         100k:sz                      'useralloc'
//!   M     0000000000400000-0000000000408000 r-x      32k:sz     32k:res 1031:vmo 'tour'
//! ```

use core::fmt::{self, Display, Formatter, Write};

use arrayvec::ArrayString;

use crate::VmOptions;
use crate::info::{Map, MapKind};

/// A count of bytes in the largest binary unit that is not below one, cut to one decimal.
///
/// Width and alignment of the format string apply.
///
/// ```
/// use syscall::vmaps::HumanBytes;
/// assert_eq!(format!("{:>6}|{:<6}", HumanBytes(4096), HumanBytes(1536)), "    4k|1.5k  ");
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct HumanBytes(pub u64);

impl Display for HumanBytes {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        const UNITS: [char; 7] = ['B', 'k', 'M', 'G', 'T', 'P', 'E'];
        let unit = self.0.checked_ilog2().unwrap_or(0) / 10;
        let (shift, name) = (10 * unit, UNITS[unit as usize]);
        let whole = self.0 >> shift;
        let fraction = u128::from(self.0 - (whole << shift));
        let mut text = ArrayString::<8>::new();
        match (fraction * 10) >> shift {
            0 => write!(text, "{whole}{name}")?,
            tenths => write!(text, "{whole}.{tenths}{name}")?,
        }
        formatter.pad(&text)
    }
}

/// The permissions in an option word as `rwx`, a dash for each that is missing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Permissions(pub VmOptions);

impl Display for Permissions {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let letters = [
            (VmOptions::PERM_READ, 'r'),
            (VmOptions::PERM_WRITE, 'w'),
            (VmOptions::PERM_EXECUTE, 'x'),
        ];
        for (permission, letter) in letters {
            formatter.write_char(if self.0.contains(permission) {
                letter
            } else {
                '-'
            })?;
        }
        Ok(())
    }
}

/// One record as one line, without a line break.
#[derive(Clone, Copy, Debug)]
pub struct MapLine<'a>(pub &'a Map);

/// The width of the tree column: up to six levels leave the other columns aligned.
const TREE_WIDTH: usize = 8;

impl Display for MapLine<'_> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let map = self.0;
        let kind = MapKind::from_raw(map.kind);
        let letter = match kind {
            Some(MapKind::AddressSpace) => 'A',
            Some(MapKind::Vmar) => 'R',
            Some(MapKind::Mapping) => 'M',
            Some(MapKind::None) | None => '?',
        };
        let indent = map.depth.min(TREE_WIDTH - 1);
        let rest = TREE_WIDTH - indent;
        let end = map.base.wrapping_add(map.size);
        write!(
            formatter,
            "{:indent$}{letter:<rest$}{:016x}-{end:016x} ",
            "", map.base
        )?;
        let size = HumanBytes(map.size as u64);
        if kind == Some(MapKind::Mapping) {
            let permissions = Permissions(VmOptions::from_raw(map.mapping.mmu_flags));
            let resident = HumanBytes(map.mapping.committed_bytes as u64);
            let koid = map.mapping.vmo_koid;
            write!(
                formatter,
                "{permissions} {size:>7}:sz {resident:>7}:res {koid:>5}:vmo"
            )?;
        } else {
            write!(formatter, "{:3} {size:>7}:sz {:>21}", "", "")?;
        }
        write!(formatter, " '{}'", map.name)
    }
}

#[cfg(test)]
mod tests {
    use std::format;

    use super::*;
    use crate::Name;
    use crate::info::Mapping;

    fn mapping(depth: usize) -> Map {
        Map {
            name: Name::new_lossy("tour"),
            base: 0x40_0000,
            size: 0x8000,
            depth,
            kind: MapKind::Mapping as u32,
            mapping: Mapping {
                mmu_flags: (VmOptions::PERM_READ | VmOptions::PERM_EXECUTE).bits(),
                vmo_koid: 1031,
                committed_bytes: 0x1000,
                ..Mapping::default()
            },
            ..Map::default()
        }
    }

    #[test]
    fn a_mapping_shows_permissions_residency_and_vmo() {
        let line = format!("{}", MapLine(&mapping(2)));
        let wanted =
            "  M     0000000000400000-0000000000408000 r-x     32k:sz      4k:res  1031:vmo 'tour'";
        assert_eq!(line, wanted);
    }

    #[test]
    fn names_start_in_the_same_column_at_every_usual_depth() {
        let column = |depth| format!("{}", MapLine(&mapping(depth))).find('\'');
        let region = Map {
            kind: MapKind::Vmar as u32,
            ..mapping(0)
        };
        for depth in 0..7 {
            assert_eq!(column(depth), column(0));
        }
        assert_eq!(format!("{}", MapLine(&region)).find('\''), column(0));
    }

    #[test]
    fn byte_counts_never_need_more_than_the_buffer() {
        assert_eq!(format!("{}", HumanBytes(0)), "0B");
        assert_eq!(format!("{}", HumanBytes(1023)), "1023B");
        assert_eq!(format!("{}", HumanBytes(u64::MAX)), "15.9E");
        assert_eq!(format!("{}", HumanBytes((1 << 20) - 1)), "1023.9k");
    }
}
