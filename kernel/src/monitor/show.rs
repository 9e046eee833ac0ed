//! Commands that only show something.

use core::str::SplitWhitespace;

use syscall::Result;

use crate::loader;
use crate::object::{Phase, processes};

/// `ls`: the programs in the initrd.
pub fn ls(_: SplitWhitespace<'_>) -> Result<()> {
    for path in loader::paths() {
        println!("  {path}");
    }
    Ok(())
}

/// `ps`: the processes.
///
/// # Errors
/// - `NO_MEMORY`: none for the list.
pub fn ps(_: SplitWhitespace<'_>) -> Result<()> {
    println!(
        "  {:>6} {:<8} {:>7} {:>7}  name",
        "koid", "state", "threads", "handles"
    );
    for process in processes()? {
        let state = match process.phase() {
            Phase::New => "new",
            Phase::Running => "running",
            Phase::Ending(_) => "ending",
            Phase::Ended(_) => "ended",
        };
        let koid = process.header().koid().raw_koid();
        let (threads, handles) = (process.thread_count(), process.handle_count());
        println!(
            "  {koid:>6} {state:<8} {threads:>7} {handles:>7}  {}",
            process.name()
        );
    }
    Ok(())
}
