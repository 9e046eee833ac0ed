//! The mappings that exist besides the measured one.

use alloc::vec::Vec;

use rt::println;
use zx::{AsHandleRef, Resource, Status, Vmo, sys};

use crate::PAGE;
use crate::window::root;

/// After so many more mappings the program says how far it is.
const PROGRESS: usize = 50_000;

/// Mappings of one page each that no rule can join.
///
/// They show every other page of one VMO, so that no two of them continue each other wherever the kernel puts
/// them, and their permissions alternate.
pub struct Population {
    vmo: Vmo,
    addresses: Vec<usize>,
    /// How many mappings the last growth added, and what they took of the kernel's memory.
    growth: Growth,
}

#[derive(Clone, Copy, Default)]
struct Growth {
    mappings: usize,
    bytes: u64,
}

impl Population {
    /// No mappings yet, and room for `most`.
    ///
    /// # Errors
    /// - `NO_MEMORY`: not even for this.
    pub fn new(most: usize) -> Result<Self, Status> {
        // All of it is written now, so that growing the population takes no memory but the kernel's.
        let mut addresses = alloc::vec![1; most];
        addresses.clear();
        Ok(Self {
            vmo: Vmo::create((2 * most * PAGE) as u64)?,
            addresses,
            growth: Growth::default(),
        })
    }

    /// Adds mappings until there are `wanted`, and notes what `system` says they take.
    ///
    /// # Errors
    /// What mapping answers.
    pub fn grow(&mut self, system: &Resource, wanted: usize) -> Result<(), Status> {
        let before = used(system)?;
        let first = self.addresses.len();
        while self.addresses.len() < wanted {
            self.add()?;
            if self.addresses.len().is_multiple_of(PROGRESS) {
                println!("BENCH progress {}", self.addresses.len());
            }
        }
        self.growth = Growth {
            mappings: wanted.saturating_sub(first),
            bytes: used(system)?.saturating_sub(before),
        };
        Ok(())
    }

    fn add(&mut self) -> Result<(), Status> {
        let number = self.addresses.len();
        let permissions = match number % 2 {
            0 => sys::ZX_VM_PERM_READ,
            _ => sys::ZX_VM_PERM_READ | sys::ZX_VM_PERM_WRITE,
        };
        let mut address = 0;
        // SAFETY:
        // 1. `address` is a live local.
        // 2. The kernel chooses a place that nothing uses.
        zx::ok(unsafe {
            sys::zx_vmar_map(
                root(),
                permissions,
                0,
                self.vmo.raw_handle(),
                (2 * number * PAGE) as u64,
                PAGE,
                &mut address,
            )
        })?;
        self.addresses.push(address);
        Ok(())
    }

    /// Where the mappings are, in the order in which they were made.
    pub fn addresses(&self) -> &[usize] {
        &self.addresses
    }

    /// How many mappings the last growth added.
    pub fn grown_by(&self) -> usize {
        self.growth.mappings
    }

    /// The bytes of memory that the kernel took for them.
    pub fn grown_bytes(&self) -> u64 {
        self.growth.bytes
    }
}

/// The bytes of memory that are in use.
fn used(system: &Resource) -> Result<u64, Status> {
    let stats = system.mem_stats()?;
    Ok(stats.total_bytes - stats.free_bytes)
}

/// The bytes that the kernel has allocated from its heap.
///
/// # Errors
/// What asking for them answers.
pub fn used_heap(system: &Resource) -> Result<u64, Status> {
    let stats = system.mem_stats()?;
    Ok(stats.total_heap_bytes - stats.free_heap_bytes)
}
