//! Resources: the permission to use something that belongs to the whole system.

use core::ops::Range;

use syscall::{Name, ResourceKind, Result, Signals, Status, SystemResource, info};
use vm::addr::{PAGE_SIZE, PageCount, PhysAddr, PhysRange};

use super::Header;
use crate::start;

/// A range of numbers of one kind, and the permission to use what they name.
///
/// Source: `docs/spec/objects.md` §13.
pub struct Resource {
    header: Header,
    kind: ResourceKind,
    range: Range<u64>,
    name: Name,
}

impl Resource {
    /// The permission to use what `range` names among things of `kind`.
    pub fn new(kind: ResourceKind, range: Range<u64>, name: Name) -> Self {
        Self {
            header: Header::new(Signals::NONE),
            kind,
            range,
            name,
        }
    }

    /// The permission to be shown any physical address at which a device may be.
    pub fn all_devices() -> Self {
        let addresses = 0..1 << arch::cpu::physical_bits();
        Self::new(ResourceKind::Mmio, addresses, Name::new_lossy("mmio"))
    }

    /// Asks whether a resource of `kind` for `range` is a part of what this permits.
    ///
    /// # Errors
    /// - `ACCESS_DENIED`: this is a resource of another kind, or does not cover all of `range`; or memory, or a
    ///   device that the kernel keeps to itself, is among it.
    pub fn check_part(&self, kind: ResourceKind, range: &Range<u64>) -> Result<()> {
        let is_part = self.range.start <= range.start && range.end <= self.range.end;
        if self.kind != kind || !is_part {
            return Err(Status::ACCESS_DENIED);
        }
        if kind == ResourceKind::Mmio && !is_open(&whole_pages(range)) {
            return Err(Status::ACCESS_DENIED);
        }
        Ok(())
    }

    /// The object's identity.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// What this permits, as programs are told.
    pub fn info(&self) -> info::Resource {
        info::Resource {
            kind: self.kind as u32,
            flags: 0,
            base: self.range.start,
            size: self.range.end - self.range.start,
            name: self.name,
        }
    }

    /// Asks whether this permits the use of `service`.
    ///
    /// # Errors
    /// - `WRONG_TYPE`: this is a resource of another kind.
    /// - `OUT_OF_RANGE`: it covers other services.
    pub fn check_system(&self, service: SystemResource) -> Result<()> {
        if self.kind != ResourceKind::System {
            return Err(Status::WRONG_TYPE);
        }
        if !self.range.contains(&u64::from(service as u32)) {
            return Err(Status::OUT_OF_RANGE);
        }
        Ok(())
    }

    /// Asks whether this permits to make IOMMUs: it must be for that and nothing else.
    ///
    /// # Errors
    /// - `WRONG_TYPE`: it is not.
    pub fn check_iommu(&self) -> Result<()> {
        let base = u64::from(SystemResource::Iommu as u32);
        if self.kind != ResourceKind::System || self.range.start != base {
            return Err(Status::WRONG_TYPE);
        }
        Ok(())
    }

    /// Asks whether this permits to be shown the physical addresses `base .. base + size`.
    ///
    /// A page of which it covers a part is covered as a whole, because less cannot be shown.
    ///
    /// # Errors
    /// - `WRONG_TYPE`: this is a resource of another kind.
    /// - `OUT_OF_RANGE`: it covers other addresses.
    /// - `ACCESS_DENIED`: memory, or a device that the kernel keeps to itself, is among them.
    pub fn check_addresses(&self, base: u64, size: u64) -> Result<()> {
        if self.kind != ResourceKind::Mmio {
            return Err(Status::WRONG_TYPE);
        }
        let covered = whole_pages(&self.range);
        let end = base.checked_add(size).ok_or(Status::OUT_OF_RANGE)?;
        if base < covered.start || end > covered.end {
            return Err(Status::OUT_OF_RANGE);
        }
        if !is_open(&whole_pages(&(base..end))) {
            return Err(Status::ACCESS_DENIED);
        }
        Ok(())
    }
}

/// The pages that `addresses` lie in, as addresses again.
fn whole_pages(addresses: &Range<u64>) -> Range<u64> {
    let page = PAGE_SIZE as u64;
    let end = addresses.end.checked_next_multiple_of(page);
    addresses.start / page * page..end.unwrap_or(u64::MAX)
}

/// Whether programs may be shown all of `addresses`.
fn is_open(addresses: &Range<u64>) -> bool {
    let pages = (addresses.end - addresses.start) / PAGE_SIZE as u64;
    let range = PhysRange::new(
        PhysAddr::new(addresses.start as usize),
        PageCount::new(pages as usize),
    );
    range.is_none_or(|range| !start::keeps(range))
}

#[cfg(test)]
mod tests {
    use ktest::ktest;
    use syscall::{Name, ResourceKind, Status, SystemResource};
    use vm::addr::PAGE_SIZE;

    use super::Resource;
    use crate::memory;

    const PAGE: u64 = PAGE_SIZE as u64;

    fn resource(kind: ResourceKind, range: core::ops::Range<u64>) -> Resource {
        Resource::new(kind, range, Name::default())
    }

    #[ktest]
    fn a_resource_covers_its_range_and_no_more() {
        let resource = resource(ResourceKind::System, 2..4);
        assert_eq!(resource.check_system(SystemResource::Debug), Ok(()));
        assert_eq!(resource.check_system(SystemResource::Info), Ok(()));
        assert_eq!(
            resource.check_system(SystemResource::Vmex),
            Err(Status::OUT_OF_RANGE)
        );
        assert_eq!(
            resource.check_system(SystemResource::Cpu),
            Err(Status::OUT_OF_RANGE)
        );
    }

    #[ktest]
    fn a_resource_of_another_kind_is_of_the_wrong_type() {
        let resource = resource(ResourceKind::Irq, 0..100);
        let refused = Err(Status::WRONG_TYPE);
        assert_eq!(resource.check_system(SystemResource::Debug), refused);
        assert_eq!(resource.check_addresses(0, PAGE), refused);
        assert_eq!(resource.check_iommu(), refused);
    }

    #[ktest]
    fn a_page_of_device_memory_is_covered_as_a_whole() {
        let base = 0xfe00_0000;
        let resource = resource(ResourceKind::Mmio, base + 0x80..base + PAGE + 0x10);
        assert_eq!(resource.check_addresses(base, 2 * PAGE), Ok(()));
        let refused = Err(Status::OUT_OF_RANGE);
        assert_eq!(resource.check_addresses(base - 1, 2), refused);
        assert_eq!(resource.check_addresses(base, 2 * PAGE + 1), refused);
        assert_eq!(resource.check_addresses(base, u64::MAX), refused);
    }

    #[ktest]
    fn memory_is_never_shown_as_a_device() {
        let frame = memory::pages()
            .allocate::<vm::pages::owner::Vmo>()
            .expect("a free frame");
        let address = frame.address().raw() as u64;
        memory::pages().free(frame);
        let all = Resource::all_devices();
        let refused = Err(Status::ACCESS_DENIED);
        assert_eq!(all.check_addresses(address, PAGE), refused);
        let part = all.check_part(ResourceKind::Mmio, &(address..address + 1));
        assert_eq!(part, refused);
    }
}
