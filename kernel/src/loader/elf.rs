//! Reading a program's ELF file.
//!
//! [`Program::parse`] turns the bytes of a file, which may be anything, into a checked plan: which
//! pages with which permissions and which contents. Loading a plan cannot meet a bad file any more.

use core::fmt;

use arrayvec::ArrayVec;
use elf::ElfBytes;
use elf::abi;
use elf::endian::LittleEndian;
use elf::segment::ProgramHeader;
use syscall::Status;
use vm::addr::{PAGE_SIZE, VirtAddr, VirtRange};
use vm::mmu::Access;

/// The most segments that a program may have.
pub const MAX_SEGMENTS: usize = 16;

/// A program, checked.
///
/// 1. Segments are sorted, disjoint, and inside `range`, which is inside the allowed range.
/// 2. No segment is both writable and executable.
/// 3. `entry` lies in an executable segment.
#[derive(Debug)]
pub struct Program<'a> {
    /// Where execution begins.
    pub entry: VirtAddr,
    /// All pages from the first segment's first to the last segment's last.
    pub range: VirtRange,
    /// What lies there.
    pub segments: ArrayVec<Segment<'a>, MAX_SEGMENTS>,
}

/// Pages of a program with the same permissions.
#[derive(Clone, Copy, Debug)]
pub struct Segment<'a> {
    /// The pages.
    pub range: VirtRange,
    /// What the program may do with them.
    pub access: Access,
    /// Where in the first page the contents begin, in bytes.
    pub offset: usize,
    /// The contents; all other bytes of the pages are zero. `offset + data.len()` fits the pages.
    pub data: &'a [u8],
}

/// What is wrong with a file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ElfError {
    /// It is no 64-bit little-endian ELF file, or its headers lie outside the file.
    NotElf,
    /// It is for another kind of machine, which has this ELF number.
    OtherMachine(u16),
    /// It is not an executable that is linked to fixed addresses.
    NotExecutable,
    /// It has nothing to load.
    Empty,
    /// It has more than [`MAX_SEGMENTS`] segments.
    TooManySegments,
    /// The segment at this address is not wholly in the file, is longer there than in memory, or
    /// wraps around the end of the address space.
    BadSegment(u64),
    /// The segment at this address lies where programs must not be.
    OutOfBounds(u64),
    /// The segment at this address begins before the one before it has ended, in the same page.
    Overlap(u64),
    /// The segment at this address is writable and executable.
    WritableCode(u64),
    /// The entry at this address is not in executable code.
    BadEntry(u64),
}

impl fmt::Display for ElfError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotElf => formatter.write_str("not a complete 64-bit little-endian ELF file"),
            Self::OtherMachine(machine) => {
                write!(
                    formatter,
                    "built for another machine (ELF machine {machine})"
                )
            }
            Self::NotExecutable => {
                formatter.write_str("not an executable linked to fixed addresses (ELF type EXEC)")
            }
            Self::Empty => formatter.write_str("no segment to load"),
            Self::TooManySegments => write!(formatter, "more than {MAX_SEGMENTS} segments"),
            Self::BadSegment(address) => {
                write!(
                    formatter,
                    "segment at {address:#x} does not fit the file or the memory"
                )
            }
            Self::OutOfBounds(address) => {
                write!(formatter, "segment at {address:#x} is not in user space")
            }
            Self::Overlap(address) => {
                write!(
                    formatter,
                    "segment at {address:#x} shares a page with the one before it"
                )
            }
            Self::WritableCode(address) => {
                write!(
                    formatter,
                    "segment at {address:#x} is both writable and executable"
                )
            }
            Self::BadEntry(address) => write!(formatter, "entry {address:#x} is not code"),
        }
    }
}

impl From<ElfError> for Status {
    fn from(error: ElfError) -> Self {
        match error {
            ElfError::OtherMachine(_) | ElfError::NotExecutable => Self::NOT_SUPPORTED,
            ElfError::WritableCode(_) => Self::ACCESS_DENIED,
            ElfError::NotElf
            | ElfError::Empty
            | ElfError::TooManySegments
            | ElfError::BadSegment(_)
            | ElfError::OutOfBounds(_)
            | ElfError::Overlap(_)
            | ElfError::BadEntry(_) => Self::INVALID_ARGS,
        }
    }
}

impl<'a> Program<'a> {
    /// Reads the program in `file`, which must be for `machine` and lie inside `bounds`.
    ///
    /// # Errors
    /// [`ElfError`] says what is wrong with the file.
    pub fn parse(file: &'a [u8], machine: u16, bounds: VirtRange) -> Result<Self, ElfError> {
        let elf = ElfBytes::<LittleEndian>::minimal_parse(file).map_err(|_| ElfError::NotElf)?;
        if elf.ehdr.class != elf::file::Class::ELF64 {
            return Err(ElfError::NotElf);
        }
        if elf.ehdr.e_machine != machine {
            return Err(ElfError::OtherMachine(elf.ehdr.e_machine));
        }
        if elf.ehdr.e_type != abi::ET_EXEC {
            return Err(ElfError::NotExecutable);
        }
        let headers = elf.segments().ok_or(ElfError::Empty)?;
        let mut segments: ArrayVec<Segment<'a>, MAX_SEGMENTS> = ArrayVec::new();
        for header in headers
            .iter()
            .filter(|header| header.p_type == abi::PT_LOAD)
        {
            let Some(segment) = Segment::parse(file, &header, bounds)? else {
                continue;
            };
            if segments
                .last()
                .is_some_and(|last| segment.range.base() < last.range.end())
            {
                return Err(ElfError::Overlap(header.p_vaddr));
            }
            segments
                .try_push(segment)
                .map_err(|_| ElfError::TooManySegments)?;
        }
        Self::of_segments(segments, elf.ehdr.e_entry)
    }

    fn of_segments(
        segments: ArrayVec<Segment<'a>, MAX_SEGMENTS>,
        entry: u64,
    ) -> Result<Self, ElfError> {
        let (Some(first), Some(last)) = (segments.first(), segments.last()) else {
            return Err(ElfError::Empty);
        };
        let range = VirtRange::between(first.range.base(), last.range.end());
        let range = range.ok_or(ElfError::Empty)?;
        let entry_address = address(entry).ok_or(ElfError::BadEntry(entry))?;
        let is_code = |segment: &Segment<'_>| {
            segment.access.contains(Access::EXECUTE) && segment.range.contains(entry_address)
        };
        if !segments.iter().any(is_code) {
            return Err(ElfError::BadEntry(entry));
        }
        Ok(Self {
            entry: entry_address,
            range,
            segments,
        })
    }
}

impl<'a> Segment<'a> {
    /// The segment that `header` describes; `None` if it has no bytes.
    fn parse(
        file: &'a [u8],
        header: &ProgramHeader,
        bounds: VirtRange,
    ) -> Result<Option<Self>, ElfError> {
        if header.p_memsz == 0 {
            return Ok(None);
        }
        let bad = ElfError::BadSegment(header.p_vaddr);
        let data = contents(file, header).ok_or(bad)?;
        let start = address(header.p_vaddr).ok_or(bad)?;
        let end = header
            .p_vaddr
            .checked_add(header.p_memsz)
            .and_then(address)
            .ok_or(bad)?;
        let end = end.checked_add(PAGE_SIZE - 1).ok_or(bad)?.page_base();
        let range = VirtRange::between(start.page_base(), end).ok_or(bad)?;
        if data.len() as u64 > header.p_memsz {
            return Err(bad);
        }
        if !bounds.contains_range(range) {
            return Err(ElfError::OutOfBounds(header.p_vaddr));
        }
        let access = access_of(header.p_flags);
        if access.contains(Access::WRITE | Access::EXECUTE) {
            return Err(ElfError::WritableCode(header.p_vaddr));
        }
        Ok(Some(Self {
            range,
            access,
            offset: start.page_offset(),
            data,
        }))
    }
}

/// The bytes of a segment that lie in the file.
fn contents<'a>(file: &'a [u8], header: &ProgramHeader) -> Option<&'a [u8]> {
    let start = usize::try_from(header.p_offset).ok()?;
    let bytes = usize::try_from(header.p_filesz).ok()?;
    file.get(start..start.checked_add(bytes)?)
}

fn address(raw: u64) -> Option<VirtAddr> {
    usize::try_from(raw).ok().map(VirtAddr::new)
}

/// The permissions that segment flags stand for. Code and data can always be read as well.
fn access_of(flags: u32) -> Access {
    let mut access = Access::READ;
    if flags & abi::PF_W != 0 {
        access |= Access::WRITE;
    }
    if flags & abi::PF_X != 0 {
        access |= Access::EXECUTE;
    }
    access
}
