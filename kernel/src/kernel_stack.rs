//! Stacks for threads while they are in the kernel.
//!
//! Each one is a VMO, mapped into a region of the kernel's own address space that has a page more at
//! each end. Nothing is ever mapped there, so running over the end is a fault and not damage.

use alloc::sync::Arc;

use arch::paging::Tables;
use syscall::{Name, Result, VmOptions, VmoOptions};
use vm::addr::{PAGE_SIZE, VirtAddr};
use vm::mmu::Access;
use vm::vmar::{MapRequest, Vmar};

use crate::memory::kernel_root;
use crate::object::VmoObject;

/// The usable length of a kernel stack.
pub const STACK_BYTES: usize = 64 * 1024;

/// What is never mapped at each end.
const GUARD_BYTES: usize = PAGE_SIZE;

/// A stack with guards; gives everything back when it is dropped.
pub struct KernelStack {
    region: Arc<Vmar<Tables>>,
    top: VirtAddr,
}

impl KernelStack {
    /// A stack of zeros.
    ///
    /// # Errors
    /// - `NO_MEMORY`: no memory for it.
    /// - `NO_RESOURCES`: no room in the kernel's address space.
    pub fn new() -> Result<Self> {
        let vmo = VmoObject::create(STACK_BYTES as u64, VmoOptions::empty())?;
        vmo.set_name(Name::new_lossy("kernel-stack"));
        let capabilities =
            VmOptions::CAN_MAP_SPECIFIC | VmOptions::CAN_MAP_READ | VmOptions::CAN_MAP_WRITE;
        let region = kernel_root()?.allocate(capabilities, 0, STACK_BYTES + 2 * GUARD_BYTES)?;
        // From here on dropping the stack gives the region back, whatever else fails.
        let mut stack = Self {
            region,
            top: VirtAddr::default(),
        };
        let base = stack.region.map(MapRequest {
            options: VmOptions::SPECIFIC | VmOptions::PERM_READ | VmOptions::PERM_WRITE,
            offset: GUARD_BYTES,
            vmo: Arc::clone(vmo.vmo()),
            vmo_offset: 0,
            length: STACK_BYTES,
            permitted: Access::READ | Access::WRITE,
        })?;
        stack.top = base.checked_add(STACK_BYTES).unwrap_or(base);
        Ok(stack)
    }

    /// The address after the last byte, where an empty stack begins.
    pub const fn top(&self) -> VirtAddr {
        self.top
    }
}

impl Drop for KernelStack {
    fn drop(&mut self) {
        // Only this owner ever destroys the region, so it is still there.
        let destroyed = self.region.destroy();
        debug_assert_eq!(
            destroyed,
            Ok(()),
            "the region of a kernel stack belongs to the stack"
        );
    }
}
