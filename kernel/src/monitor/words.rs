//! The words after a command: which process, which address, and whether a program will read the answer.

use alloc::sync::Arc;
use core::str::SplitWhitespace;

use arch::paging::Tables;
use arrayvec::ArrayVec;
use syscall::{Name, Result, Status};
use vm::addr::VirtAddr;
use vm::aspace::AddressSpace;

use crate::memory;
use crate::object::{Process, processes};
use crate::sched;

/// Words that no command has more of.
const MOST_WORDS: usize = 2;

/// Who reads the answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Format {
    /// A person.
    Text,
    /// A program.
    Json,
}

/// The words of a command, options apart.
pub struct Words<'a> {
    command: &'static str,
    /// `--json` asks for JSON.
    pub format: Format,
    words: ArrayVec<&'a str, MOST_WORDS>,
}

impl<'a> Words<'a> {
    /// Reads the words after `command`.
    ///
    /// # Errors
    /// `INVALID_ARGS`: there is an unknown option, or there are too many words; the console says which.
    pub fn parse(command: &'static str, words: SplitWhitespace<'a>) -> Result<Self> {
        let mut found = Self {
            command,
            format: Format::Text,
            words: ArrayVec::new(),
        };
        for word in words {
            if word == "--json" {
                found.format = Format::Json;
            } else if word.starts_with('-') {
                println!("{command}: there is no option `{word}`; try `--json`");
                return Err(Status::INVALID_ARGS);
            } else if found.words.try_push(word).is_err() {
                return Err(found.too_many(word));
            }
        }
        Ok(found)
    }

    /// The only word, if there is one.
    ///
    /// # Errors
    /// `INVALID_ARGS`: there are more; the console says so.
    pub fn at_most_one(&self) -> Result<Option<&'a str>> {
        match *self.words.as_slice() {
            [] => Ok(None),
            [word] => Ok(Some(word)),
            [_, second, ..] => Err(self.too_many(second)),
        }
    }

    /// All words.
    pub fn all(&self) -> &[&'a str] {
        &self.words
    }

    fn too_many(&self, word: &str) -> Status {
        let command = self.command;
        println!("{command}: `{word}` is one word too many; `help` shows what it takes");
        Status::INVALID_ARGS
    }
}

/// An address in hexadecimal, with `0x` before it.
///
/// # Errors
/// `INVALID_ARGS`: `word` is none; the console says why.
pub fn address(command: &str, word: &str) -> Result<VirtAddr> {
    let digits = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X"));
    let wrong = match digits {
        None => "begins with no 0x",
        Some("") => "has no digits",
        Some(digits) if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) => {
            "has something else than hexadecimal digits"
        }
        Some(digits) => match usize::from_str_radix(digits, 16) {
            Ok(address) => return Ok(VirtAddr::new(address)),
            Err(_) => "is longer than 64 bits",
        },
    };
    println!("{command}: `{word}` {wrong}; write an address like 0x400000");
    Err(Status::INVALID_ARGS)
}

/// Whose address space a command is about.
pub struct Subject {
    /// The address space.
    pub space: Arc<AddressSpace<Tables>>,
    /// The name of the process, or of the kernel's address space.
    pub name: Name,
    /// The number of the process; the kernel is none.
    pub koid: Option<u64>,
}

impl Subject {
    /// The kernel.
    pub fn kernel() -> Self {
        Self::space(memory::kernel_space())
    }

    /// An address space without a process.
    pub fn space(space: &Arc<AddressSpace<Tables>>) -> Self {
        Self {
            space: Arc::clone(space),
            name: space.config().name,
            koid: None,
        }
    }

    /// The process that sent the command, or the kernel if a thread of its own did.
    pub fn caller() -> Self {
        sched::current()
            .process()
            .map_or_else(Self::kernel, |process| Self::from(&**process))
    }

    /// The process with this koid or, failing that, the first one with this name; `kernel` is the kernel.
    ///
    /// # Errors
    /// - `NOT_FOUND`: there is no such process; the console says so.
    /// - `NO_MEMORY`: no memory to look for it.
    pub fn find(command: &str, word: &str) -> Result<Self> {
        if word == "kernel" {
            return Ok(Self::kernel());
        }
        let all = processes()?;
        let koid = word.parse::<u64>().ok();
        let by_koid = all
            .iter()
            .find(|process| Some(process.header().koid().raw_koid()) == koid);
        let by_name = || {
            all.iter()
                .find(|process| process.name().as_bytes() == word.as_bytes())
        };
        let found = by_koid.or_else(by_name);
        found.map(|process| Self::from(&**process)).ok_or_else(|| {
            println!("{command}: no process `{word}`; `ps` lists them, and `kernel` is the kernel");
            Status::NOT_FOUND
        })
    }
}

impl From<&Process> for Subject {
    fn from(process: &Process) -> Self {
        Self {
            space: Arc::clone(process.space()),
            name: process.name(),
            koid: Some(process.header().koid().raw_koid()),
        }
    }
}

#[cfg(test)]
mod tests {
    use ktest::ktest;

    use super::*;

    #[ktest]
    fn addresses_are_hexadecimal_with_a_prefix_and_fit_64_bits() {
        let read = |word| address("walk", word).map(VirtAddr::raw);
        assert_eq!(read("0x400000"), Ok(0x40_0000));
        assert_eq!(read("0XffFF"), Ok(0xffff));
        assert_eq!(read("0xffffffffffffffff"), Ok(usize::MAX));
        assert_eq!(read("0x00000000000000001"), Ok(1));
        for wrong in [
            "400000",
            "0x",
            "0x10000000000000000",
            "0x+1",
            "0xg",
            "-1",
            "0x1_0",
            "",
        ] {
            assert_eq!(read(wrong), Err(Status::INVALID_ARGS), "{wrong}");
        }
    }

    #[ktest]
    fn options_may_stand_anywhere_and_unknown_ones_are_refused() {
        let parse = |line: &'static str| Words::parse("walk", line.split_whitespace());
        let words = parse("a --json b").expect("two words");
        assert_eq!(words.format, Format::Json);
        assert_eq!(words.all(), ["a", "b"]);
        assert_eq!(words.at_most_one(), Err(Status::INVALID_ARGS));
        assert_eq!(parse("a").expect("one word").at_most_one(), Ok(Some("a")));
        assert_eq!(parse("a b c").err(), Some(Status::INVALID_ARGS));
        assert_eq!(parse("--xml").err(), Some(Status::INVALID_ARGS));
    }
}
