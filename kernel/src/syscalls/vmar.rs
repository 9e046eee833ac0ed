//! Calls about regions. Source: `docs/spec/vmar.md` §3 and §5 to §9.
//!
//! Here are the checks that need handles and rights; those that need the region alone are made by
//! `vm`, in the order of the same tables.

mod overwrite;

use alloc::sync::Arc;

use arch::paging::Tables;
use syscall::kernel::UserOut;
use syscall::{HandleValue, Result, Rights, Status, VmOptions, VmarOp};
use vm::addr::VirtAddr;
use vm::mmu::Access;
use vm::vmar::{MapRequest, OpChildren, RangeOp, RangeRequest, Vmar};
use vm::vmo::{Vmo, VmoKind};

use super::{caller, deliver, user_memory};
use crate::handle::Handle;
use crate::object::{VmarObject, VmoObject};
use crate::sched;

/// What `vmar_allocate` asks for.
#[derive(Clone, Copy)]
pub struct Allocation {
    /// Where and with which capabilities.
    pub options: VmOptions,
    /// The place in the parent, or its upper limit.
    pub offset: usize,
    /// The size in bytes.
    pub size: usize,
}

/// What `vmar_map` asks for.
#[derive(Clone, Copy)]
pub struct Placement {
    /// Where and with which permissions.
    pub options: VmOptions,
    /// The place in the region, or its upper limit.
    pub vmar_offset: usize,
    /// The first byte of the VMO to show.
    pub vmo_offset: u64,
    /// The length in bytes.
    pub length: usize,
}

/// Some bytes of an address space.
#[derive(Clone, Copy)]
pub struct Range {
    /// The first address.
    pub address: usize,
    /// The length in bytes.
    pub length: usize,
}

/// Reserves a range as a new region.
///
/// # Errors
/// As the table of `docs/spec/vmar.md` §3, in its order; nothing is left behind.
pub fn allocate(
    parent: HandleValue,
    request: Allocation,
    child: UserOut<HandleValue>,
    address: UserOut<usize>,
) -> Result<()> {
    let Allocation {
        options,
        offset,
        size,
    } = request;
    let (parent, _) = caller().object::<VmarObject>(parent, capability_rights(options))?;
    let region = parent.vmar().allocate(options, offset, size)?;
    let rights = Rights::VMAR_DEFAULT | capability_rights(options);
    let told = tell(&region, rights, child, address);
    if told.is_err() {
        // A region that the caller does not know is taken back. It is dead already if another thread
        // has destroyed the parent, which comes to the same.
        let _ = region.destroy();
    }
    told
}

/// Gives the caller a handle to a new region and tells it the address.
fn tell(
    region: &Arc<Vmar<Tables>>,
    rights: Rights,
    child: UserOut<HandleValue>,
    address: UserOut<usize>,
) -> Result<()> {
    let handle = Handle::new(VmarObject::new(Arc::clone(region))?, rights);
    // The handle comes last: its value is written only if everything else has gone well.
    user_memory::write(address, &region.range().base().raw())?;
    deliver(handle, child)
}

/// Shows a range of a VMO in a region.
///
/// A mapping whose address cannot be told is taken back. What was overwritten, as `SPECIFIC_OVERWRITE` asks
/// for, could not be put back; so before that happens the address must be one to which it can be told.
/// What remains is what happens between the two: another process takes the page away, through handles that
/// it has, or there is no frame left for a page table. Then the call fails and the old mappings are gone.
///
/// # Errors
/// As the tables of `docs/spec/vmar.md` §5, in their order.
pub fn map(
    vmar: HandleValue,
    vmo: HandleValue,
    request: Placement,
    address: UserOut<usize>,
) -> Result<()> {
    let (region, vmo, vmar_rights, vmo_rights) = caller().two_objects(
        (vmar, vmo),
        |(region, region_rights): (&Arc<VmarObject>, _),
         (vmo, vmo_rights): (&Arc<VmoObject>, _)| {
            let (region, vmo) = (Arc::clone(region.vmar()), Arc::clone(vmo.vmo()));
            (region, vmo, region_rights, vmo_rights)
        },
    )?;
    if !vmo_rights.contains(Rights::MAP) {
        return Err(unmappable(&vmo, request.options));
    }
    let request = MapRequest {
        options: execute_only_resolved(request.options),
        offset: request.vmar_offset,
        vmo,
        vmo_offset: request.vmo_offset,
        length: request.length,
        permitted: access_of(vmar_rights & vmo_rights),
    };
    let length = request.length;
    if request.options.contains(VmOptions::SPECIFIC_OVERWRITE)
        && !overwrite::can_be_told(&region, &request, address)
    {
        // Other reasons to fail come first.
        region.check_overwrite(&request)?;
        return Err(Status::INVALID_ARGS);
    }
    let mapped = region.map_apart(request)?;
    let told = user_memory::write(address, &mapped.base().raw());
    match told {
        Ok(()) => region.join(mapped),
        Err(_) => {
            // Another thread of the program may have taken it back already.
            let _ = region.unmap(mapped.base(), length, OpChildren::Forbidden);
        }
    }
    told
}

/// Why a VMO cannot be mapped through a handle without MAP.
///
/// What the VMO cannot do at all comes before what the handle may not; with MAP, `vm` finds that out.
fn unmappable(vmo: &Vmo<Tables>, options: VmOptions) -> Status {
    let faults_beyond = options.contains(VmOptions::FAULT_BEYOND_STREAM_SIZE);
    if faults_beyond && vmo.kind() != VmoKind::Anonymous {
        Status::NOT_SUPPORTED
    } else {
        Status::ACCESS_DENIED
    }
}

/// Removes mappings and whole regions.
///
/// # Errors
/// As the table of `docs/spec/vmar.md` §6, in its order.
pub fn unmap(vmar: HandleValue, address: usize, length: usize) -> Result<()> {
    let (region, rights) = caller().object::<VmarObject>(vmar, Rights::NONE)?;
    region
        .vmar()
        .unmap(VirtAddr::new(address), length, op_children(rights))
}

/// Changes permissions.
///
/// # Errors
/// As the table of `docs/spec/vmar.md` §7, in its order.
pub fn protect(vmar: HandleValue, options: VmOptions, address: usize, length: usize) -> Result<()> {
    let options = execute_only_resolved(options);
    let needed = permission_rights(options);
    let (region, rights) = caller().object::<VmarObject>(vmar, needed)?;
    region
        .vmar()
        .protect(options, VirtAddr::new(address), length, op_children(rights))
}

/// Performs an operation on what is mapped in a range. No operation takes a buffer.
///
/// Others have their turns meanwhile, and it ends early with the thread.
///
/// # Errors
/// As the table of `docs/spec/vmar.md` §8, in its order; `CANCELED` if the thread is to end.
pub fn op_range(
    vmar: HandleValue,
    op: VmarOp,
    range: Range,
    buffer: (UserOut<u8>, usize),
) -> Result<()> {
    let (region, rights) = caller().object::<VmarObject>(vmar, Rights::NONE)?;
    let op = RangeOp::try_from(op)?;
    let (buffer, buffer_size) = buffer;
    if !buffer.is_null() || buffer_size != 0 {
        return Err(Status::INVALID_ARGS);
    }
    let request = RangeRequest {
        op,
        address: VirtAddr::new(range.address),
        length: range.length,
        children: op_children(rights),
    };
    let pause = || sched::pause().map_err(|_| Status::CANCELED);
    region.vmar().op_range(request, pause)
}

/// Ends a region and all that is in it.
///
/// # Errors
/// As the table of `docs/spec/vmar.md` §9, in its order.
pub fn destroy(vmar: HandleValue) -> Result<()> {
    let (region, _) = caller().object::<VmarObject>(vmar, Rights::OP_CHILDREN)?;
    region.vmar().destroy()
}

/// `options` with execute-only turned into read and execute where the machine cannot do it.
fn execute_only_resolved(options: VmOptions) -> VmOptions {
    let fallback = VmOptions::PERM_READ_IF_XOM_UNSUPPORTED;
    if options.contains(fallback) && !arch::paging::can_execute_only() {
        options | VmOptions::PERM_READ
    } else {
        options
    }
}

/// The rights that a handle needs for the permissions in `options`.
fn permission_rights(options: VmOptions) -> Rights {
    rights_for([
        (options.contains(VmOptions::PERM_READ), Rights::READ),
        (options.contains(VmOptions::PERM_WRITE), Rights::WRITE),
        (options.contains(VmOptions::PERM_EXECUTE), Rights::EXECUTE),
    ])
}

/// The rights that belong to the capabilities in `options`.
fn capability_rights(options: VmOptions) -> Rights {
    rights_for([
        (options.contains(VmOptions::CAN_MAP_READ), Rights::READ),
        (options.contains(VmOptions::CAN_MAP_WRITE), Rights::WRITE),
        (
            options.contains(VmOptions::CAN_MAP_EXECUTE),
            Rights::EXECUTE,
        ),
    ])
}

/// The rights whose condition holds.
fn rights_for(conditions: [(bool, Rights); 3]) -> Rights {
    let held = conditions.into_iter().filter(|(holds, _)| *holds);
    held.fold(Rights::NONE, |rights, (_, right)| rights | right)
}

/// The accesses that `rights` allow.
fn access_of(rights: Rights) -> Access {
    let mut access = Access::empty();
    access.set(Access::READ, rights.contains(Rights::READ));
    access.set(Access::WRITE, rights.contains(Rights::WRITE));
    access.set(Access::EXECUTE, rights.contains(Rights::EXECUTE));
    access
}

/// Whether `rights` allow to change what lies in descendants of a region.
fn op_children(rights: Rights) -> OpChildren {
    if rights.contains(Rights::OP_CHILDREN) {
        OpChildren::Allowed
    } else {
        OpChildren::Forbidden
    }
}
