//! Commands that only show something.

use alloc::sync::Arc;
use core::str::SplitWhitespace;

use arch::paging::Tables;
use syscall::vmaps::{HumanBytes, MapLine};
use syscall::{Result, Status};
use vm::aspace::AddressSpace;

use crate::object::{Phase, Process, processes};
use crate::records;
use crate::{loader, memory};

/// `ls`: the programs in the initrd.
pub fn ls(_: SplitWhitespace<'_>) -> Result<()> {
    for path in loader::paths() {
        println!("  {path}");
    }
    Ok(())
}

/// `ps`: the processes.
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

/// `vmaps [KOID|NAME]`: an address space, by default the kernel's.
pub fn vmaps(mut words: SplitWhitespace<'_>) -> Result<()> {
    let Some(word) = words.next() else {
        return print_space(memory::kernel_space());
    };
    let Some(process) = find(word)? else {
        println!("vmaps: no process `{word}`; `ps` lists them");
        return Err(Status::NOT_FOUND);
    };
    print_space(process.space())
}

fn print_space(space: &AddressSpace<Tables>) -> Result<()> {
    records::for_each_in_space(space, |record| {
        println!("{}", MapLine(record));
        Ok(())
    })
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

/// The process with this koid or, failing that, the first one with this name.
fn find(word: &str) -> Result<Option<Arc<Process>>> {
    let all = processes()?;
    let koid = word.parse::<u64>().ok();
    let by_koid = all
        .iter()
        .find(|process| Some(process.header().koid().raw_koid()) == koid);
    let by_name = || {
        all.iter()
            .find(|process| process.name().as_bytes() == word.as_bytes())
    };
    Ok(by_koid.or_else(by_name).cloned())
}
