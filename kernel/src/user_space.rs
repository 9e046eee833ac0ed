//! Address spaces of processes.

use alloc::sync::Arc;

use arch::paging::{self, Tables};
use spin::Once;
use syscall::{Name, Result};
use vm::aspace::{AddressSpace, Aslr, AspaceConfig, Entropy};
use vm::mmu::{Domain, Mmu};

use crate::memory::pages;
use crate::options::Placement;
use crate::random;

/// How places are chosen in address spaces made from now on.
static PLACEMENT: Once<Placement> = Once::new();

/// Decides how places are chosen; the first decision counts.
pub fn set_placement(placement: Placement) {
    PLACEMENT.call_once(|| placement);
}

/// An empty address space for a process called `name`.
///
/// # Errors
/// - `NO_MEMORY`: no memory for it.
pub fn create(name: Name) -> Result<Arc<AddressSpace<Tables>>> {
    let aslr = match PLACEMENT.get() {
        Some(Placement::Lowest) => Aslr::Off,
        Some(Placement::Random { bits }) => Aslr::On(Entropy {
            source: random::next,
            bits: *bits,
        }),
        None => Aslr::On(Entropy::new(random::next)),
    };
    let config = AspaceConfig {
        name,
        range: paging::USER,
        domain: Domain::User,
        aslr,
    };
    AddressSpace::new(config, Tables::create(pages())?, pages())
}
