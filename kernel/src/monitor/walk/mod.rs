//! `walk`: how an address is translated, and what would happen if somebody touched it.
//!
//! [`Report`] is what is known; it is written as text here and as JSON in `json`, with the reasons of
//! [`reason`].

mod json;
mod reason;

use core::str::SplitWhitespace;

use arch::paging::Tables;
use arrayvec::ArrayVec;
use syscall::vmaps::{HumanBytes, Permissions};
use syscall::{Result, Status};
use vm::addr::VirtAddr;
use vm::explain::Explanation;
use vm::mmu::{Access, Domain, MemoryType, Translation};
use vm::paging::{Entry, Path, Step};
use vm::verdict::Verdict;

use super::explain::print_surroundings;
use super::json::to_console;
use super::words::{Format, Subject, Words, address};
use crate::memory;
use crate::records::permissions;
use reason::Reason;

/// The kinds of access that are judged, and what they are called.
const KINDS: [(Access, &str); 3] = [
    (Access::READ, "read"),
    (Access::WRITE, "write"),
    (Access::EXECUTE, "execute"),
];

/// Names of bits that one entry can have set.
const MOST_NAMES: usize = 16;

/// `walk [PROCESS] ADDRESS [--json]`: by default in the process that asks, or in the kernel if the address is
/// the kernel's.
pub fn walk(words: SplitWhitespace<'_>) -> Result<()> {
    let words = Words::parse("walk", words)?;
    let (subject, address) = match *words.all() {
        [word] => {
            let address = address("walk", word)?;
            (Subject::owner_of(address), address)
        }
        [who, word] => (Subject::find("walk", who)?, address("walk", word)?),
        _ => {
            println!("walk: which address? write it like `walk 0x400000` or `walk tour 0x400000`");
            return Err(Status::INVALID_ARGS);
        }
    };
    let report = Report::new(subject, address);
    match words.format {
        Format::Text => {
            report.print();
            Ok(())
        }
        Format::Json => report.print_json(&mut to_console),
    }
}

/// What is known about an address.
struct Report {
    subject: Subject,
    address: VirtAddr,
    /// The tables on the way; `None` if none translates the address.
    path: Option<Path>,
    explanation: Explanation,
}

impl Report {
    fn new(subject: Subject, address: VirtAddr) -> Self {
        let own = subject.space.mmu().walk(address);
        // Where the two halves have tables of their own, the kernel's half is the same for all.
        let path = own.or_else(|| memory::kernel_space().mmu().walk(address));
        let explanation = subject.space.explain(address);
        Self {
            subject,
            address,
            path,
            explanation,
        }
    }

    /// What the page table maps there.
    fn leaf(&self) -> Option<Translation> {
        match self.path.as_ref()?.last()?.entry {
            Entry::Leaf(leaf) => Some(leaf),
            Entry::Empty | Entry::Table(_) => None,
        }
    }

    fn verdict(&self, access: Access) -> Verdict {
        let domain = self.subject.space.config().domain;
        self.explanation.verdict(access, domain, self.leaf())
    }

    fn reason(&self, access: Access) -> Reason<'_> {
        Reason {
            verdict: self.verdict(access),
            explanation: &self.explanation,
        }
    }

    fn print(&self) {
        match self.subject.koid {
            Some(koid) => println!("{} in `{}` (koid {koid})", self.address, self.subject.name),
            None => println!("{} in the kernel", self.address),
        }
        match &self.path {
            Some(path) => self.print_path(path),
            None => println!("  no page table translates this address"),
        }
        print_surroundings(&self.explanation, self.address);
        for (access, name) in KINDS {
            println!("  {name:<8} {}", self.reason(access));
        }
    }

    fn print_path(&self, path: &Path) {
        println!(
            "  table  bits   index  {:<18}  {:<18}  flags",
            "at", "entry"
        );
        for step in path {
            let (high, low) = step.level.bits();
            println!(
                "  {:>5}  {high:>2}:{low:<2}  {:>5}  {}  {:#018x}  {}",
                step.level.number(),
                step.index,
                step.table,
                step.raw,
                Flags(step),
            );
        }
        let Some(leaf) = self.leaf() else {
            println!("  page   none");
            return;
        };
        println!(
            "  page   {} {} {} {} {}",
            leaf.address,
            HumanBytes(leaf.size.bytes() as u64),
            Permissions(permissions(leaf.flags.access)),
            memory_name(leaf.flags.memory),
            domain_name(leaf.flags.domain),
        );
    }
}

impl Subject {
    /// Whose `address` is: the kernel's, or that of the process that asks.
    fn owner_of(address: VirtAddr) -> Self {
        if address >= arch::paging::KERNEL_BASE {
            Self::kernel()
        } else {
            Self::caller()
        }
    }
}

/// The names of the bits that are set in an entry.
fn flag_names(step: &Step) -> ArrayVec<&'static str, MOST_NAMES> {
    let mut names = ArrayVec::new();
    Tables::name_bits(step.raw, step.level, &mut |name| {
        // No format has so many bits with names.
        let _ = names.try_push(name);
    });
    names
}

/// An entry's bits by name, with spaces in between.
struct Flags<'a>(&'a Step);

impl core::fmt::Display for Flags<'_> {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let names = flag_names(self.0);
        if names.is_empty() {
            return formatter.write_str("-");
        }
        for (index, name) in names.iter().enumerate() {
            let space = if index == 0 { "" } else { " " };
            write!(formatter, "{space}{name}")?;
        }
        Ok(())
    }
}

const fn memory_name(memory: MemoryType) -> &'static str {
    match memory {
        MemoryType::Cached => "cached",
        MemoryType::Uncached => "uncached",
        MemoryType::UncachedDevice => "device",
        MemoryType::WriteCombining => "write-combining",
    }
}

const fn domain_name(domain: Domain) -> &'static str {
    match domain {
        Domain::User => "user",
        Domain::Kernel => "kernel",
    }
}

#[cfg(test)]
mod tests;
