//! Calls about resources, IOMMUs and the devices behind them. Source: `docs/spec/objects.md` §13.

use syscall::kernel::{UserIn, UserOut};
use syscall::{
    HandleValue, IOMMU_MAX_DESC_LEN, IommuDescDummy, IommuType, Name, ResourceKind,
    ResourceOptions, Result, Rights, Status,
};

use super::user_memory::{range, read_bytes};
use super::{caller, deliver};
use crate::handle::Handle;
use crate::memory::try_arc;
use crate::object::{Bti, Iommu, Resource};

/// What a resource is to be made for.
pub struct Wanted {
    /// The kind, and flags.
    pub options: ResourceOptions,
    /// The first number.
    pub base: u64,
    /// How many numbers.
    pub size: usize,
    /// The name, if `name_size` is not zero.
    pub name: UserIn<u8>,
    /// The length of the name in bytes.
    pub name_size: usize,
}

/// Makes a resource for a part of what another one covers.
///
/// Differs from Zircon: no resource is exclusive.
///
/// # Errors
/// As the table of `docs/spec/objects.md` §13, in its order.
pub fn create_resource(
    parent: HandleValue,
    wanted: &Wanted,
    out: UserOut<HandleValue>,
) -> Result<()> {
    let (parent, _) = caller().object::<Resource>(parent, Rights::WRITE)?;
    let kind = ResourceKind::from_raw(wanted.options.kind()).ok_or(Status::INVALID_ARGS)?;
    let flags = wanted.options.flags();
    if !ResourceOptions::EXCLUSIVE.contains(flags) || wanted.size == 0 {
        return Err(Status::INVALID_ARGS);
    }
    if !flags.is_empty() {
        return Err(Status::NOT_SUPPORTED);
    }
    let end = wanted.base.checked_add(wanted.size as u64);
    let numbers = wanted.base..end.ok_or(Status::ACCESS_DENIED)?;
    parent.check_part(kind, &numbers)?;
    let mut name = [0; Name::MAX_LEN];
    let name = &mut name[..wanted.name_size.min(Name::MAX_LEN)];
    read_bytes(wanted.name, name)?;
    let part = try_arc(Resource::new(kind, numbers, Name::from_bytes_lossy(name)))?;
    deliver(Handle::new(part, Rights::RESOURCE_DEFAULT), out)
}

/// Makes the object that stands for an IOMMU.
///
/// # Errors
/// As the table of `docs/spec/objects.md` §13, in its order.
pub fn create_iommu(
    resource: HandleValue,
    iommu_type: IommuType,
    description: (UserIn<u8>, usize),
    out: UserOut<HandleValue>,
) -> Result<()> {
    let (resource, _) = caller().object::<Resource>(resource, Rights::NONE)?;
    resource.check_iommu()?;
    let (description, size) = description;
    if size > IOMMU_MAX_DESC_LEN {
        return Err(Status::INVALID_ARGS);
    }
    range(description.address(), size)?;
    if iommu_type != IommuType::DUMMY {
        return Err(Status::NOT_SUPPORTED);
    }
    // What it says does not matter, but it has to be there.
    let mut bytes = [0; size_of::<IommuDescDummy>()];
    if size != bytes.len() {
        return Err(Status::INVALID_ARGS);
    }
    read_bytes(description, &mut bytes)?;
    deliver(Handle::new(Iommu::dummy()?, Rights::IOMMU_DEFAULT), out)
}

/// Makes the object that stands for a device behind an IOMMU.
///
/// # Errors
/// As the table of `docs/spec/objects.md` §13, in its order.
pub fn create_bti(iommu: HandleValue, options: u32, out: UserOut<HandleValue>) -> Result<()> {
    if options != 0 {
        return Err(Status::INVALID_ARGS);
    }
    caller().object::<Iommu>(iommu, Rights::NONE)?;
    deliver(Handle::new(Bti::new()?, Rights::BTI_DEFAULT), out)
}
