//! Commands that only show something.

use core::str::SplitWhitespace;

use syscall::Result;
use syscall::vmaps::HumanBytes;

use crate::object::{Phase, processes};
use crate::{loader, memory};

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

/// `free`: where the memory is.
pub fn free(_: SplitWhitespace<'_>) -> Result<()> {
    let stats = memory::kmem_stats();
    let rows = [
        ("total", stats.total_bytes),
        ("free", stats.free_bytes),
        ("wired", stats.wired_bytes),
        ("heap", stats.total_heap_bytes),
        ("of it free", stats.free_heap_bytes),
        ("VMO pages", stats.vmo_bytes),
        ("page tables", stats.mmu_overhead_bytes),
        ("other", stats.other_bytes),
    ];
    for (name, bytes) in rows {
        let pages = bytes / vm::addr::PAGE_SIZE as u64;
        println!("  {name:<12} {pages:>9} pages {:>8}", HumanBytes(bytes));
    }
    Ok(())
}
