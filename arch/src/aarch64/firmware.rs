//! Calls to the firmware: PSCI (Arm DEN 0022) through `hvc` or `smc`, as the device tree says.

use boot::{BootInfo, PsciConduit};
use smccc::psci::{self, error::Error};
use smccc::{Hvc, Smc};
use spin::Once;
use vm::addr::PhysAddr;

static CONDUIT: Once<PsciConduit> = Once::new();

/// Notes how the firmware is called.
pub(crate) fn init(info: &BootInfo) {
    if let Some(conduit) = info.psci {
        CONDUIT.call_once(|| conduit);
    }
}

/// Switches the machine off; returns only if that failed.
pub(crate) fn system_off() -> Result<(), Error> {
    match CONDUIT.get() {
        Some(PsciConduit::Hvc) => psci::system_off::<Hvc>(),
        Some(PsciConduit::Smc) => psci::system_off::<Smc>(),
        None => Err(Error::NotSupported),
    }
}

/// Starts the CPU with affinity `target` at `entry`, with `context` in its first register.
pub(crate) fn cpu_on(target: u64, entry: PhysAddr, context: PhysAddr) -> Result<(), Error> {
    let (entry, context) = (entry.raw() as u64, context.raw() as u64);
    match CONDUIT.get() {
        Some(PsciConduit::Hvc) => psci::cpu_on::<Hvc>(target, entry, context),
        Some(PsciConduit::Smc) => psci::cpu_on::<Smc>(target, entry, context),
        None => Err(Error::NotSupported),
    }
}
