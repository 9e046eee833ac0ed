//! Where a VMO is mapped.

use syscall::info::Map;
use syscall::vmaps::Permissions;
use syscall::{Koid, Name, Result, VmOptions};

use super::Holder;
use crate::records::{self, Patience};

/// A mapping and whose it is.
pub struct Shown<'a> {
    /// The number of the process; the kernel has none.
    pub koid: Option<u64>,
    /// The name of the process or of the kernel's address space.
    pub name: Name,
    /// The mapping, or a part of it with the same permissions.
    pub map: &'a Map,
    /// What it allows.
    pub permissions: Permissions,
}

/// Shows `visit` the mappings of the VMO `koid` in the address spaces of `holders`.
///
/// # Errors
/// - `CANCELED`: the current thread is to end.
/// - What `visit` answers, which ends the walk.
pub fn for_each_mapping(
    holders: &[Holder],
    koid: Koid,
    mut visit: impl FnMut(&Shown<'_>) -> Result<()>,
) -> Result<()> {
    for holder in holders {
        let mut shown = Ok(());
        let walked = records::walk_space(holder.space(), Patience::UntilKilled, |map| {
            if map.mapping.vmo_koid != koid.raw_koid() {
                return Ok(());
            }
            shown = visit(&Shown {
                koid: holder.koid(),
                name: holder.name(),
                map,
                permissions: Permissions(VmOptions::from_raw(map.mapping.mmu_flags)),
            });
            shown
        });
        shown?;
        match walked {
            // An address space that has ended has no mappings.
            Ok(()) | Err(syscall::Status::BAD_STATE) => {}
            Err(status) => return Err(status),
        }
    }
    Ok(())
}
