//! Tests of the loader: files that are no programs, and programs that run.

use alloc::vec::Vec;
use core::sync::atomic::{AtomicUsize, Ordering};

use arch::paging::USER;
use ktest::ktest;
use syscall::Status;
use syscall::info::MapKind;
use vm::addr::{PAGE_SIZE, VirtAddr};

use super::elf::{ElfError, Program};
use super::{StartError, start, start_file};
use crate::object::{Process, processes, set_last_words};
use crate::records::{Patience, walk_space};
use crate::sched::Deadline;

/// Where the test program's only segment lies.
const BASE: u64 = 0x40_0000;

/// Flags of a segment.
const READ: u32 = 4;
const WRITE: u32 = 2;
const EXECUTE: u32 = 1;

/// The fields of a small ELF file that tests spoil.
#[derive(Clone, Copy)]
struct File {
    machine: u16,
    kind: u16,
    entry: u64,
    segments: u16,
    flags: u32,
    address: u64,
    file_bytes: u64,
    memory_bytes: u64,
}

impl File {
    /// A program with one page of code, which nobody should run.
    const GOOD: Self = Self {
        machine: arch::cpu::ELF_MACHINE,
        kind: 2,
        entry: BASE,
        segments: 1,
        flags: READ | EXECUTE,
        address: BASE,
        file_bytes: 16,
        memory_bytes: 16,
    };

    /// The bytes of the file: the header, the segments' headers, all alike but for the address.
    fn bytes(self) -> Vec<u8> {
        let mut file = Vec::from(*b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0");
        file.extend(self.kind.to_le_bytes());
        file.extend(self.machine.to_le_bytes());
        file.extend(1u32.to_le_bytes());
        for word in [self.entry, 64, 0] {
            file.extend(word.to_le_bytes());
        }
        file.extend(0u32.to_le_bytes());
        for half in [64, 56, self.segments, 64, 0, 0] {
            file.extend(half.to_le_bytes());
        }
        for index in 0..u64::from(self.segments) {
            let address = self.address.wrapping_add(index * PAGE_SIZE as u64);
            file.extend(1u32.to_le_bytes());
            file.extend(self.flags.to_le_bytes());
            let words = [
                0,
                address,
                address,
                self.file_bytes,
                self.memory_bytes,
                0x1000,
            ];
            file.extend(words.iter().flat_map(|word| word.to_le_bytes()));
        }
        file
    }

    /// What the loader thinks of it.
    fn error(self) -> Option<ElfError> {
        Program::parse(&self.bytes(), arch::cpu::ELF_MACHINE, USER).err()
    }
}

#[ktest]
fn a_good_file_becomes_a_plan() {
    let file = File {
        segments: 2,
        ..File::GOOD
    }
    .bytes();
    let program = Program::parse(&file, arch::cpu::ELF_MACHINE, USER).expect("a good file");
    assert_eq!(program.entry, VirtAddr::new(BASE as usize));
    assert_eq!(program.range.bytes(), 2 * PAGE_SIZE);
    assert_eq!(program.segments.len(), 2);
    assert_eq!(program.segments[0].data, &file[..16]);
}

#[ktest]
fn every_kind_of_bad_file_has_its_error() {
    let good = File::GOOD;
    assert_eq!(good.error(), None);
    let page = PAGE_SIZE as u64;
    let cases = [
        (
            File {
                machine: 0xffff,
                ..good
            },
            ElfError::OtherMachine(0xffff),
        ),
        (File { kind: 3, ..good }, ElfError::NotExecutable),
        (
            File {
                segments: 0,
                ..good
            },
            ElfError::Empty,
        ),
        (
            File {
                memory_bytes: 0,
                ..good
            },
            ElfError::Empty,
        ),
        (
            File {
                segments: 17,
                ..good
            },
            ElfError::TooManySegments,
        ),
        (
            File {
                memory_bytes: 15,
                ..good
            },
            ElfError::BadSegment(BASE),
        ),
        (
            File {
                file_bytes: 1 << 40,
                memory_bytes: 1 << 40,
                ..good
            },
            ElfError::BadSegment(BASE),
        ),
        (
            File {
                memory_bytes: u64::MAX,
                ..good
            },
            ElfError::BadSegment(BASE),
        ),
        (File { address: 0, ..good }, ElfError::OutOfBounds(0)),
        (
            File {
                address: 1 << 63,
                ..good
            },
            ElfError::OutOfBounds(1 << 63),
        ),
        (
            File {
                address: u64::MAX,
                ..good
            },
            ElfError::BadSegment(u64::MAX),
        ),
        (
            File {
                flags: READ | WRITE | EXECUTE,
                ..good
            },
            ElfError::WritableCode(BASE),
        ),
        (
            File {
                entry: BASE + page,
                ..good
            },
            ElfError::BadEntry(BASE + page),
        ),
        (
            File {
                flags: READ | WRITE,
                ..good
            },
            ElfError::BadEntry(BASE),
        ),
        (
            File {
                segments: 2,
                memory_bytes: page + 1,
                ..good
            },
            ElfError::Overlap(BASE + page),
        ),
    ];
    for (file, error) in cases {
        assert_eq!(file.error(), Some(error));
    }
}

#[ktest]
fn files_that_end_too_early_are_no_programs() {
    let file = File::GOOD.bytes();
    for length in 0..file.len() {
        let parsed = Program::parse(&file[..length], arch::cpu::ELF_MACHINE, USER);
        assert!(parsed.is_err(), "{length} bytes");
    }
}

#[ktest]
fn spoiled_bytes_never_do_more_than_refuse() {
    let good = File::GOOD.bytes();
    for position in 0..good.len() {
        for value in [0, 1, 0x7f, 0x80, 0xff] {
            let mut file = good.clone();
            file[position] = value;
            if let Ok(program) = Program::parse(&file, arch::cpu::ELF_MACHINE, USER) {
                assert!(USER.contains_range(program.range));
            }
        }
    }
}

#[ktest]
fn a_start_that_fails_leaves_no_process() {
    let count = || processes().expect("memory").len();
    let before = count();
    assert_eq!(
        start("bin/no-such-program", "").err(),
        Some(StartError::NoFile)
    );
    assert_eq!(
        start_file("x", b"", "").err(),
        Some(StartError::BadFile(ElfError::NotElf))
    );
    let long = alloc::string::String::from_utf8(alloc::vec![b'a'; 1 << 20]).expect("text");
    let refused = start_file("x", &File::GOOD.bytes(), &long).err();
    assert_eq!(refused, Some(StartError::ArgumentsTooLong));
    let huge = File {
        memory_bytes: (USER.bytes() / 2) as u64,
        file_bytes: 0,
        ..File::GOOD
    };
    let huge = File {
        address: USER.end().raw() as u64 - huge.memory_bytes,
        ..huge
    };
    let refused = start_file("x", &huge.bytes(), "").err().map(Status::from);
    assert_eq!(
        refused,
        Some(Status::INVALID_ARGS),
        "the entry lies outside"
    );
    assert_eq!(count(), before);
}

/// How often last words were asked for, and how much of the process was there then.
static CALLS: AtomicUsize = AtomicUsize::new(0);
static HANDLES: AtomicUsize = AtomicUsize::new(0);
static MAPPINGS: AtomicUsize = AtomicUsize::new(0);

/// Last words. A failed check would end the thread that is ending, so it only notes.
fn note(process: &Process) {
    CALLS.fetch_add(1, Ordering::Relaxed);
    HANDLES.store(process.handle_count(), Ordering::Relaxed);
    let walked = walk_space(process.space(), Patience::ToTheEnd, |record| {
        let is_mapping = record.kind == MapKind::Mapping as u32;
        MAPPINGS.fetch_add(usize::from(is_mapping), Ordering::Relaxed);
        Ok(())
    });
    if walked.is_err() {
        MAPPINGS.store(0, Ordering::Relaxed);
    }
}

#[ktest]
fn last_words_come_once_while_everything_is_there() {
    set_last_words(note);
    for _ in 0..2 {
        let process = start("bin/hello", "").expect("the initrd has it");
        assert_eq!(process.wait_ended(Deadline::NEVER), Ok(0));
        assert_eq!(CALLS.load(Ordering::Relaxed), 1);
    }
    assert!(HANDLES.load(Ordering::Relaxed) > 0);
    // Its code, its data and its stack at least.
    assert!(MAPPINGS.load(Ordering::Relaxed) >= 3);
}
