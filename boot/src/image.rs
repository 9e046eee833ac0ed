//! Where the kernel's own image lies.
//!
//! The linker scripts (`kernel.ld` in each machine's folder) put page-aligned sections in the order text,
//! rodata, data (with bss behind it), and define the symbols that are read here.

use vm::addr::{PhysRange, VirtRange};

/// One part of the image: the pages it is linked to and the pages it was loaded to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Section {
    /// Where the kernel sees it.
    pub virtual_range: VirtRange,
    /// Where it lies in memory; as long as `virtual_range`.
    pub physical_range: PhysRange,
}

/// The kernel's image, by how its parts must be mapped.
#[derive(Clone, Copy, Debug)]
pub struct KernelImage {
    /// Instructions: read and execute.
    pub text: Section,
    /// Constants: read only.
    pub rodata: Section,
    /// Variables, initialised or zero: read and write. Contains the boot stack and its guard page.
    pub data: Section,
    /// The stack that the boot CPU runs on at hand-off.
    pub boot_stack: VirtRange,
    /// The page under it, which the final tables leave out.
    pub boot_stack_guard: VirtRange,
    /// The symbol table that the build puts in after linking; all zero if it did not. Part of `rodata`.
    pub ksyms: &'static [u8],
}

impl KernelImage {
    /// All pages of the image.
    pub fn physical_range(&self) -> Option<PhysRange> {
        PhysRange::between(
            self.text.physical_range.base(),
            self.data.physical_range.end(),
        )
    }
}

/// The running kernel's image, from the symbols of its linker script.
#[cfg(target_os = "none")]
pub fn image() -> KernelImage {
    linked::image()
}

#[cfg(target_os = "none")]
mod linked {
    use vm::addr::{PhysAddr, PhysRange, VirtAddr, VirtRange};

    use super::{KernelImage, Section};
    use crate::machine;

    unsafe extern "C" {
        static __text_start: u8;
        static __text_end: u8;
        static __rodata_start: u8;
        static __rodata_end: u8;
        static __data_start: u8;
        static __data_end: u8;
        static __boot_stack_guard: u8;
        static __boot_stack_start: u8;
        static __boot_stack_end: u8;
        static __ksyms_start: u8;
        static __ksyms_end: u8;
    }

    pub(super) fn image() -> KernelImage {
        KernelImage {
            text: section(&raw const __text_start, &raw const __text_end),
            rodata: section(&raw const __rodata_start, &raw const __rodata_end),
            data: section(&raw const __data_start, &raw const __data_end),
            boot_stack: range(&raw const __boot_stack_start, &raw const __boot_stack_end),
            boot_stack_guard: range(&raw const __boot_stack_guard, &raw const __boot_stack_start),
            ksyms: ksyms(),
        }
    }

    fn ksyms() -> &'static [u8] {
        let start = &raw const __ksyms_start;
        let bytes = (&raw const __ksyms_end).addr() - start.addr();
        // SAFETY:
        // 1. The linker script puts the two symbols around one section of `rodata`, start before end.
        // 2. The section is loaded, mapped for as long as the kernel runs, and never written.
        unsafe { core::slice::from_raw_parts(start, bytes) }
    }

    fn range(start: *const u8, end: *const u8) -> VirtRange {
        VirtRange::between(VirtAddr::new(start.addr()), VirtAddr::new(end.addr()))
            .expect("the linker script aligns every section and leaves none empty")
    }

    fn section(start: *const u8, end: *const u8) -> Section {
        let virtual_range = range(start, end);
        let base: PhysAddr = machine::image_physical_address(virtual_range.base());
        let physical_range = PhysRange::new(base, virtual_range.pages())
            .expect("the image is loaded to whole pages of memory");
        Section {
            virtual_range,
            physical_range,
        }
    }
}
