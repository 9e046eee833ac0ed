//! Fills all of memory until the kernel refuses, gives it back, and begins again.
//!
//! Words: `rounds=N` (1 by default), or `seconds=N`. A round fills memory in several ways, one after the other:
//!
//! | way | until |
//! |---|---|
//! | `write` | `vmo_write` answers `NO_MEMORY`, and then creating VMOs does |
//! | `commit` | committing a mapping, some pages at a time, answers `NO_MEMORY` |
//! | `fault` | another program, which writes to page after page of a mapping, is ended by an exception |
//! | `zeros` | as `commit`; then the kernel must find by itself that these pages are all zeros, and give some back |
//!
//! After each, a VMO that this program has filled before must be as it was, a discardable one must have lost its
//! pages, and the kernel must hold as much memory as at first. The word `touch` makes it that other program. The output is that of `conformance`.

#![no_std]
#![no_main]

extern crate alloc;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use programs::memory::Memory;
use zx::{MonotonicDuration, MonotonicInstant, Status, VmarFlags, VmarOp, Vmo, VmoOp, VmoOptions};

rt::main!(main);

const PAGE: usize = 4096;

/// Pages of the VMO that has to stay as it is.
const WITNESS_PAGES: usize = 64;

/// Pages of the VMO that has to go.
const SPARE_PAGES: usize = 256;

/// Pages that are committed at a time.
const PART_PAGES: usize = 16;

/// VMOs that are created at most when no page is left: there is room for few in what the kernel's heap has.
const MOST_VMOS: usize = 2000;

const READ_WRITE: VmarFlags = VmarFlags::PERM_READ.union(VmarFlags::PERM_WRITE);

/// Fills memory until the kernel refuses; says what went wrong.
type Way = fn() -> Result<(), String>;

/// The ways to fill memory, and what they are called.
const WAYS: [(&str, Way); 4] = [
    ("write", write),
    ("commit", commit),
    ("fault", fault),
    ("zeros", zeros),
];

/// How long the kernel may take to notice that memory is low and full of zeros. It waits for a second.
const PATIENCE: MonotonicDuration = MonotonicDuration::from_seconds(60);

/// When to stop.
#[derive(Clone, Copy)]
enum Limit {
    Rounds(u32),
    Time(MonotonicInstant),
}

fn main() -> Result<i64, Status> {
    if rt::args().any(|word| word == "touch") {
        return touch();
    }
    let outcome = run(limit_from_words());
    let failed = i64::from(outcome.is_err());
    match outcome {
        Ok(()) => rt::println!("TEST ok fill::memory_is_filled_and_given_back"),
        Err(text) => rt::println!("TEST fail fill::memory_is_filled_and_given_back {text}"),
    }
    rt::println!("TEST-RESULT passed={} failed={failed}", 1 - failed);
    Ok(failed)
}

fn limit_from_words() -> Limit {
    let numbers = rt::args().filter_map(|word| {
        let (key, value) = word.split_once('=')?;
        Some((key, value.parse::<u32>().ok()?))
    });
    numbers.fold(Limit::Rounds(1), |limit, (key, number)| match key {
        "rounds" => Limit::Rounds(number),
        "seconds" => {
            let time = MonotonicDuration::from_seconds(number.into());
            Limit::Time(MonotonicInstant::get() + time)
        }
        _ => limit,
    })
}

/// Fills memory in every way until the limit; says what went wrong.
fn run(limit: Limit) -> Result<(), String> {
    let witness = Vmo::create((WITNESS_PAGES * PAGE) as u64).map_err(|status| in_words(&status))?;
    for page in 0..WITNESS_PAGES {
        let written = witness.write(&[page as u8 + 1], (page * PAGE) as u64);
        written.map_err(|status| in_words(&status))?;
    }
    // The table of handles becomes as large as it will be: it does not shrink, and keeps closed places aside.
    for _ in 0..2 {
        let vmos: Result<Vec<Vmo>, Status> = (0..MOST_VMOS).map(|_| Vmo::create(0)).collect();
        vmos.map_err(|status| in_words(&status))?;
    }
    let mut rounds = 0;
    let mut settled = None;
    // One round more than asked for leaves the heaps of program and kernel as large as they will be.
    while rounds == 0 || !is_over(limit, rounds - 1) {
        for (name, fill) in WAYS {
            let wrong = |text: String| format!("round {rounds}, {name}: {text}");
            let spare = spare().map_err(|status| wrong(in_words(&status)))?;
            fill().map_err(wrong)?;
            check(&witness).map_err(wrong)?;
            match spare.op_range(VmoOp::TRY_LOCK, 0, (SPARE_PAGES * PAGE) as u64) {
                Err(Status::UNAVAILABLE) => drop(spare),
                other => return Err(wrong(format!("a discardable VMO answers {other:?}"))),
            }
            let now = Memory::measure().map_err(|status| wrong(in_words(&status)))?;
            if rounds > 0 {
                now.compare(settled.get_or_insert(now)).map_err(wrong)?;
            }
        }
        rounds += 1;
        rt::println!("fill: {rounds} rounds");
    }
    Ok(())
}

fn is_over(limit: Limit, rounds: u32) -> bool {
    match limit {
        Limit::Rounds(limit) => rounds >= limit,
        Limit::Time(end) => MonotonicInstant::get() >= end,
    }
}

/// Whether a VMO is as it was filled.
fn check(witness: &Vmo) -> Result<(), String> {
    for page in 0..WITNESS_PAGES {
        let mut byte = [0];
        let read = witness.read(&mut byte, (page * PAGE) as u64);
        read.map_err(|status| in_words(&status))?;
        if byte != [page as u8 + 1] {
            return Err(format!("page {page} has become {byte:?}"));
        }
    }
    Ok(())
}

/// A discardable VMO with all of its pages, which nobody has locked.
fn spare() -> Result<Vmo, Status> {
    let bytes = (SPARE_PAGES * PAGE) as u64;
    let spare = Vmo::create_with_opts(VmoOptions::DISCARDABLE, bytes)?;
    spare.op_range(VmoOp::COMMIT, 0, bytes)?;
    Ok(spare)
}

/// A VMO that is as large as all of memory, which it never gets.
fn everything() -> Result<Vmo, String> {
    Vmo::create(zx::system_get_physmem()).map_err(|status| in_words(&status))
}

/// Writes page after page until there is no more, then creates VMOs until there is no memory for those.
///
/// While memory is full this program allocates nothing: its own heap and stack could not grow.
fn write() -> Result<(), String> {
    let vmo = everything()?;
    let mut vmos = Vec::new();
    vmos.resize_with(MOST_VMOS, || Vmo::from(zx::Handle::invalid()));
    vmos.clear();
    let mut offset = 0;
    let refused = loop {
        match vmo.write(&[7], offset) {
            Ok(()) => offset += PAGE as u64,
            Err(status) => break status,
        }
    };
    let refused_vmo = loop {
        match Vmo::create(0) {
            Ok(vmo) if vmos.len() < vmos.capacity() => vmos.push(vmo),
            Ok(_) => break None,
            Err(status) => break Some(status),
        }
    };
    drop((vmo, vmos));
    expect_refusal(refused, offset as usize / PAGE)?;
    match refused_vmo {
        Some(Status::NO_MEMORY) => Ok(()),
        other => Err(format!("creating VMOs without a page left: {other:?}")),
    }
}

/// Commits a mapping part by part until there is no more.
fn commit() -> Result<(), String> {
    Committed::until_refused()?.end()
}

/// The same, and waits until the kernel has given back a part of the pages, which are all zeros.
fn zeros() -> Result<(), String> {
    let committed = Committed::until_refused()?;
    let waited = committed.wait_for_less();
    committed.end()?;
    waited
}

/// A mapping as large as all of memory, committed as far as that goes.
struct Committed {
    vmo: Vmo,
    base: usize,
    bytes: usize,
}

impl Committed {
    fn until_refused() -> Result<Self, String> {
        let vmo = everything()?;
        let bytes = zx::system_get_physmem() as usize;
        let root = rt::vmar_root_self();
        let mapped = root.map(0, &vmo, 0, bytes, READ_WRITE);
        let base = mapped.map_err(|status| in_words(&status))?;
        let part = PART_PAGES * PAGE;
        let mut offset = 0;
        let refused = loop {
            match root.op_range(VmarOp::COMMIT, base + offset, part) {
                Ok(()) => offset += part,
                Err(status) => break status,
            }
        };
        let committed = Self { vmo, base, bytes };
        match expect_refusal(refused, offset / PAGE) {
            Ok(()) => Ok(committed),
            Err(text) => committed.end().and(Err(text)),
        }
    }

    /// Waits until fewer pages are there, without taking any memory meanwhile.
    fn wait_for_less(&self) -> Result<(), String> {
        let now = || self.vmo.info().map(|info| info.committed_bytes);
        let before = now().map_err(|status| in_words(&status))?;
        let end = MonotonicInstant::get() + PATIENCE;
        while now() == Ok(before) {
            if MonotonicInstant::get() >= end {
                return Err(format!("{before} bytes of zeros are still there"));
            }
            (MonotonicInstant::get() + MonotonicDuration::from_millis(50)).sleep();
        }
        Ok(())
    }

    fn end(self) -> Result<(), String> {
        // SAFETY: nothing of the program is there.
        let unmapped = unsafe { rt::vmar_root_self().unmap(self.base, self.bytes) };
        unmapped.map_err(|status| in_words(&status))
    }
}

/// Has another program fill memory by faults, of which it dies.
fn fault() -> Result<(), String> {
    let outcome = rt::system_resource().debug_send_command("run bin/fill touch");
    outcome.map_err(|status| in_words(&status))
}

/// Writes to page after page of a mapping, which ends the program when there is no more.
fn touch() -> Result<i64, Status> {
    let bytes = zx::system_get_physmem() as usize;
    let vmo = Vmo::create(bytes as u64)?;
    let base = rt::vmar_root_self().map(0, &vmo, 0, bytes, READ_WRITE)?;
    for address in (base..base + bytes).step_by(PAGE) {
        let page = core::ptr::with_exposed_provenance_mut::<u8>(address);
        // SAFETY: the page is mapped, writable, and nothing else is kept there.
        unsafe { page.write_volatile(7) };
    }
    rt::println!("TEST fail fill::touch all of memory was there, and more");
    Ok(1)
}

/// Checks why there were no more than so many pages.
fn expect_refusal(status: Status, pages: usize) -> Result<(), String> {
    if status != Status::NO_MEMORY || pages < WITNESS_PAGES {
        return Err(format!("{status} after {pages} pages"));
    }
    Ok(())
}

fn in_words(status: &Status) -> String {
    format!("{status}")
}
