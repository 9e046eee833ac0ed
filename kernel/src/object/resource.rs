//! Resources: the permission to use something that belongs to the whole system.

use core::ops::Range;

use syscall::{ResourceKind, Result, Signals, Status, SystemResource};

use super::Header;

/// A range of numbers of one kind, and the permission to use what they name.
///
/// Source: `docs/spec/objects.md` §13.
pub struct Resource {
    header: Header,
    kind: ResourceKind,
    range: Range<u64>,
}

impl Resource {
    /// The permission to use what `range` names among things of `kind`.
    pub fn new(kind: ResourceKind, range: Range<u64>) -> Self {
        Self {
            header: Header::new(Signals::NONE),
            kind,
            range,
        }
    }

    /// The object's identity.
    pub const fn header(&self) -> &Header {
        &self.header
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
}

#[cfg(test)]
mod tests {
    use ktest::ktest;
    use syscall::{ResourceKind, Status, SystemResource};

    use super::Resource;

    #[ktest]
    fn a_resource_covers_its_range_and_no_more() {
        let resource = Resource::new(ResourceKind::System, 2..4);
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
        let resource = Resource::new(ResourceKind::Irq, 0..100);
        assert_eq!(
            resource.check_system(SystemResource::Debug),
            Err(Status::WRONG_TYPE)
        );
    }
}
