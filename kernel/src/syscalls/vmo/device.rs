//! VMOs that devices have to do with: contiguous ones, and those that show physical addresses.
//!
//! Source: `docs/spec/vmo.md` §6 and §14.

use syscall::kernel::UserOut;
use syscall::{CachePolicy, HandleValue, Result, Rights, Status};
use vm::addr::{PAGE_SIZE, PageCount, PhysAddr, PhysRange};
use vm::mmu::MemoryType;
use vm::vmo::{ContiguousRequest, Vmo};

use crate::handle::Handle;
use crate::memory::pages;
use crate::object::{Bti, Resource, VmoObject, next_koid};
use crate::syscalls::{caller, deliver};

/// Creates a VMO whose pages lie side by side, from a multiple of 2 to the power of `alignment_log2` on.
///
/// # Errors
/// As the table of `docs/spec/vmo.md` §14, in its order.
pub fn create_contiguous(
    bti: HandleValue,
    size: usize,
    alignment_log2: u32,
    out: UserOut<HandleValue>,
) -> Result<()> {
    let request = ContiguousRequest::new(size as u64, alignment_log2)?;
    caller().object::<Bti>(bti, Rights::MAP)?;
    let vmo = Vmo::contiguous(pages(), next_koid(), request)?;
    deliver(Handle::new(VmoObject::new(vmo)?, Rights::VMO_DEFAULT), out)
}

/// Creates a VMO that shows `size` bytes of physical addresses from `address` on, uncached.
///
/// # Errors
/// As the table of `docs/spec/vmo.md` §14, in its order; `ACCESS_DENIED` if memory, or a device that the kernel
/// drives, is among them.
pub fn create_physical(
    resource: HandleValue,
    address: usize,
    size: usize,
    out: UserOut<HandleValue>,
) -> Result<()> {
    let (resource, _) = caller().object::<Resource>(resource, Rights::NONE)?;
    resource.check_addresses(address as u64, size as u64)?;
    let bytes = size.checked_next_multiple_of(PAGE_SIZE);
    let count = PageCount::covering(bytes.ok_or(Status::OUT_OF_RANGE)?);
    let base = PhysAddr::new(address);
    if !base.is_page_aligned() || count == PageCount::ZERO {
        return Err(Status::INVALID_ARGS);
    }
    let range = PhysRange::new(base, count).ok_or(Status::OUT_OF_RANGE)?;
    let vmo = Vmo::physical(pages(), next_koid(), range, MemoryType::Uncached)?;
    deliver(Handle::new(VmoObject::new(vmo)?, Rights::VMO_DEFAULT), out)
}

/// Changes how the memory of a VMO is cached.
///
/// # Errors
/// As the table of `docs/spec/vmo.md` §6, in its order.
pub fn set_cache_policy(value: HandleValue, policy: u32) -> Result<()> {
    let memory = match CachePolicy::from_raw(policy) {
        CachePolicy::Cached => MemoryType::Cached,
        CachePolicy::UnCached => MemoryType::Uncached,
        CachePolicy::UnCachedDevice => MemoryType::UncachedDevice,
        CachePolicy::WriteCombining => MemoryType::WriteCombining,
        CachePolicy::Unknown => return Err(Status::INVALID_ARGS),
    };
    let (vmo, _) = caller().object::<VmoObject>(value, Rights::MAP)?;
    vmo.vmo().set_memory(memory)
}
