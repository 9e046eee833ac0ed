//! The stack of a program's first thread, and what the kernel leaves on it.

use alloc::sync::Arc;

use arch::paging::Tables;
use syscall::{Name, Result, Status, VmOptions, VmoOptions};
use vm::addr::{PAGE_SIZE, VirtAddr};
use vm::mmu::Access;
use vm::vmar::{MapRequest, Vmar};

use super::StartError;
use crate::object::VmoObject;

/// The length of a first thread's stack.
const STACK_BYTES: usize = 256 * 1024;

/// Addresses below the stack that are never mapped.
const GUARD_BYTES: usize = PAGE_SIZE;

/// The most bytes that the kernel puts on a stack.
const MAX_USED_BYTES: usize = STACK_BYTES / 4;

/// A stack that nobody runs on yet.
pub struct Stack {
    vmo: Arc<VmoObject>,
    base: VirtAddr,
    /// Bytes from `base` up to the lowest byte in use.
    free: usize,
}

impl Stack {
    /// A stack in a region of its own, which begins with a guard.
    ///
    /// # Errors
    /// - `NO_MEMORY`: no memory.
    /// - `NO_RESOURCES`: no room in `root`.
    pub fn new(root: &Arc<Vmar<Tables>>) -> Result<Self> {
        let vmo = VmoObject::create(STACK_BYTES as u64, VmoOptions::empty())?;
        vmo.set_name(Name::new_lossy("stack"));
        let capabilities =
            VmOptions::CAN_MAP_SPECIFIC | VmOptions::CAN_MAP_READ | VmOptions::CAN_MAP_WRITE;
        let region = root.allocate(capabilities, 0, GUARD_BYTES + STACK_BYTES)?;
        let base = region.map(MapRequest {
            options: VmOptions::SPECIFIC | VmOptions::PERM_READ | VmOptions::PERM_WRITE,
            offset: GUARD_BYTES,
            vmo: Arc::clone(vmo.vmo()),
            vmo_offset: 0,
            length: STACK_BYTES,
            permitted: Access::READ | Access::WRITE,
        })?;
        Ok(Self {
            vmo,
            base,
            free: STACK_BYTES,
        })
    }

    /// Puts `bytes` on the stack, at a multiple of `alignment`; returns where they are and how many.
    ///
    /// # Errors
    /// - [`StartError::ArgumentsTooLong`]: they would fill too much of it.
    /// - [`StartError::Refused`]: no memory.
    pub fn push(
        &mut self,
        bytes: &[u8],
        alignment: usize,
    ) -> Result<(VirtAddr, usize), StartError> {
        let address = self.reserve(bytes.len(), alignment)?;
        self.write(address, bytes)?;
        Ok((address, bytes.len()))
    }

    /// Makes room for `bytes` bytes at a multiple of `alignment`, which is a power of two.
    ///
    /// # Errors
    /// - [`StartError::ArgumentsTooLong`]: they would fill too much of the stack.
    pub fn reserve(&mut self, bytes: usize, alignment: usize) -> Result<VirtAddr, StartError> {
        let start = self
            .free
            .checked_sub(bytes)
            .ok_or(StartError::ArgumentsTooLong)?;
        let start = start & !(alignment - 1);
        if start < STACK_BYTES - MAX_USED_BYTES {
            return Err(StartError::ArgumentsTooLong);
        }
        self.free = start;
        self.base
            .checked_add(start)
            .ok_or(StartError::ArgumentsTooLong)
    }

    /// Writes `bytes` to a place that was reserved at `address`.
    ///
    /// # Errors
    /// - `NO_MEMORY`: no memory for the page.
    pub fn write(&self, address: VirtAddr, bytes: &[u8]) -> Result<()> {
        let offset = address.checked_sub(self.base).ok_or(Status::OUT_OF_RANGE)?;
        self.vmo.vmo().write(offset as u64, bytes)
    }
}
