//! `stat`: what memory management has done since the start, by the counters of the CPUs.

use core::str::SplitWhitespace;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use syscall::{Result, Status};
use vm::counters::{Event, Group, Totals};

use super::json::{Document, to_console};
use super::words::{Format, Words};

/// `stat [--json]`: the counters of all CPUs together; in JSON also of each.
pub fn stat(words: SplitWhitespace<'_>) -> Result<()> {
    let words = Words::parse("stat", words)?;
    if let Some(word) = words.all().first() {
        println!("stat: `{word}` means nothing here; it takes only `--json`");
        return Err(Status::INVALID_ARGS);
    }
    match words.format {
        Format::Text => {
            print_text(&totals());
            Ok(())
        }
        Format::Json => print_json(&mut to_console),
    }
}

/// The counts of all CPUs together.
pub fn totals() -> Totals {
    let mut sum = Totals::default();
    arch::cpu::counters().for_each(|(_, counters)| sum += Totals::from(counters));
    sum
}

fn print_text(totals: &Totals) {
    for group in Group::ALL {
        println!("  {}", group.name());
        for event in Event::ALL.iter().filter(|event| event.group() == group) {
            let (name, count) = (event.name(), totals.of(*event));
            println!("    {name:<14} {count:>12}  {}", event.help());
        }
    }
}

#[derive(Serialize)]
struct Header {
    cpus: usize,
}

#[derive(Serialize)]
struct CpuRow {
    cpu: usize,
    counters: Counts,
}

#[derive(Serialize)]
struct Trailer {
    total: Counts,
}

/// Counters as an object of groups, each an object of counts.
struct Counts(Totals);

impl Serialize for Counts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(Group::ALL.len()))?;
        for group in Group::ALL {
            map.serialize_entry(group.name(), &GroupCounts(&self.0, group))?;
        }
        map.end()
    }
}

struct GroupCounts<'a>(&'a Totals, Group);

impl Serialize for GroupCounts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for event in Event::ALL.iter().filter(|event| event.group() == self.1) {
            map.serialize_entry(event.name(), &self.0.of(*event))?;
        }
        map.end()
    }
}

/// Writes the document `jacinth-stat`. Its total is the sum of its rows.
fn print_json(sink: &mut dyn FnMut(&[u8])) -> Result<()> {
    let header = Header {
        cpus: arch::cpu::count(),
    };
    let mut document = Document::open(sink, "jacinth-stat", &header)?;
    document.array("per_cpu")?;
    let mut total = Totals::default();
    for (cpu, counters) in arch::cpu::counters() {
        let counts = Totals::from(counters);
        total += counts;
        document.row(&CpuRow {
            cpu: cpu.index(),
            counters: Counts(counts),
        })?;
    }
    document.end_array()?;
    document.close(&Trailer {
        total: Counts(total),
    })
}

#[cfg(test)]
mod tests {
    use alloc::string::String;
    use core::str;

    use ktest::ktest;
    use serde_json::Value;
    use syscall::VmOptions;
    use vm::addr::{PAGE_SIZE, VirtAddr};
    use vm::mmu::{Access, Mmu};
    use vm::vmar::{MapRequest, OpChildren};

    use super::*;
    use crate::memory::pages;
    use crate::object::next_koid;
    use crate::user_space;

    #[ktest]
    fn faults_tables_and_flushes_of_this_kernel_are_counted() {
        let before = totals();
        let space = user_space::create(syscall::Name::new_lossy("stat")).expect("memory");
        let vmo = vm::vmo::Vmo::create(
            pages(),
            next_koid(),
            3 * PAGE_SIZE as u64,
            syscall::VmoOptions::empty(),
        )
        .expect("memory");
        let root = space.root().expect("a new address space");
        let base = root
            .map(MapRequest {
                options: VmOptions::PERM_READ | VmOptions::PERM_WRITE,
                offset: 0,
                vmo,
                vmo_offset: 0,
                length: 2 * PAGE_SIZE,
                permitted: Access::all(),
            })
            .expect("room");
        let second = VirtAddr::new(base.raw() + PAGE_SIZE);
        assert_eq!(space.fault(base, Access::READ), Ok(()));
        assert_eq!(space.fault(second, Access::WRITE), Ok(()));
        assert_eq!(space.fault(second, Access::READ), Ok(()));
        assert_eq!(
            space.fault(second, Access::EXECUTE),
            Err(Status::ACCESS_DENIED)
        );
        assert_eq!(
            space.fault(VirtAddr::new(0), Access::READ),
            Err(Status::NOT_FOUND)
        );
        space.mmu().activate();
        root.unmap(base, 2 * PAGE_SIZE, OpChildren::Allowed)
            .expect("mapped");
        arch::paging::activate_kernel();
        drop(root);
        space.destroy();
        drop(space);
        let counted = totals().since(&before);
        // Other threads may have faulted meanwhile.
        for (event, least) in [
            (Event::ZeroPage, 1),
            (Event::FreshPage, 1),
            (Event::Repeated, 1),
            (Event::AccessDenied, 1),
            (Event::NotFound, 1),
            (Event::TableMade, 4),
            (Event::TableFreed, 4),
            (Event::FlushPages, 1),
        ] {
            assert!(
                counted.of(event) >= least,
                "{event:?}: {}",
                counted.of(event)
            );
        }
    }

    #[ktest]
    fn the_document_has_every_counter_of_every_cpu() {
        let mut text = String::new();
        let mut sink = |line: &[u8]| text.push_str(str::from_utf8(line).expect("text"));
        assert_eq!(print_json(&mut sink), Ok(()));
        let json: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(json["format"], "jacinth-stat");
        assert_eq!(json["cpus"], arch::cpu::count());
        let rows = json["per_cpu"].as_array().expect("rows");
        assert_eq!(rows.len(), arch::cpu::count());
        for event in Event::ALL {
            let count = |counters: &Value| {
                let count = &counters[event.group().name()][event.name()];
                count.as_u64().expect("a count")
            };
            let sum: u64 = rows.iter().map(|row| count(&row["counters"])).sum();
            assert_eq!(count(&json["total"]), sum, "{event:?}");
        }
    }
}
