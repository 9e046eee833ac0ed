//! VMOs made from a range of another one. Source: `docs/spec/vmo.md` §7.

use syscall::kernel::UserOut;
use syscall::{HandleValue, PAGE_SIZE, Result, Rights, Status, VmoChildOptions};
use vm::vmo::ChildRequest;

use super::op_range::Bytes;
use crate::handle::Handle;
use crate::object::{VmoObject, next_koid};
use crate::syscalls::{caller, deliver};

/// The types of which the child goes its own way.
const COW_TYPES: VmoChildOptions = VmoChildOptions::SNAPSHOT
    .union(VmoChildOptions::SNAPSHOT_AT_LEAST_ON_WRITE)
    .union(VmoChildOptions::SNAPSHOT_MODIFIED);

/// Makes a VMO from `bytes` of another one.
///
/// # Errors
/// As the tables of `docs/spec/vmo.md` §7, in their order.
pub fn create(
    value: HandleValue,
    options: VmoChildOptions,
    bytes: Bytes,
    out: UserOut<HandleValue>,
) -> Result<()> {
    let rounded = bytes.size.checked_next_multiple_of(PAGE_SIZE as u64);
    rounded.ok_or(Status::OUT_OF_RANGE)?;
    if options.contains(VmoChildOptions::NO_WRITE | VmoChildOptions::RESIZABLE) {
        return Err(Status::INVALID_ARGS);
    }
    let needed = Rights::DUPLICATE | Rights::READ;
    let (parent, rights) = caller().object::<VmoObject>(value, needed)?;
    let request = ChildRequest {
        koid: next_koid(),
        options,
        offset: bytes.offset,
        size: bytes.size,
        may_resize: rights.contains(Rights::RESIZE),
    };
    let child = parent.vmo().create_child(request).and_then(VmoObject::new);
    // Also one that could not be wrapped has been counted, and is gone again.
    parent.update_children();
    let child = child?;
    if rights.contains(Rights::GET_PROPERTY) {
        child.set_name(parent.name());
    }
    deliver(Handle::new(child, child_rights(rights, options)), out)
}

/// The rights of the handle to a child, if the parent was named by a handle with `rights`.
///
/// Source: `docs/spec/vmo.md` §7.5.
fn child_rights(rights: Rights, options: VmoChildOptions) -> Rights {
    let mut rights = (rights - Rights::RESIZE) | Rights::PROPERTY;
    if options.contains(VmoChildOptions::RESIZABLE) {
        rights |= Rights::RESIZE;
    }
    if options.contains(VmoChildOptions::NO_WRITE) {
        rights - Rights::WRITE
    } else if options.intersects(COW_TYPES) {
        (rights | Rights::WRITE) - Rights::EXECUTE
    } else {
        rights
    }
}

#[cfg(test)]
mod tests {
    use ktest::ktest;
    use syscall::{Rights, VmoChildOptions};

    use super::child_rights;

    #[ktest]
    fn a_child_has_the_rights_that_its_type_and_the_handle_give() {
        let all = Rights::VMO_DEFAULT | Rights::EXECUTE | Rights::RESIZE;
        let fixed = all - Rights::RESIZE;
        let poor = Rights::READ | Rights::DUPLICATE;
        let (snapshot, slice) = (VmoChildOptions::SNAPSHOT, VmoChildOptions::SLICE);
        let (reference, no_write) = (VmoChildOptions::REFERENCE, VmoChildOptions::NO_WRITE);
        let resizable = VmoChildOptions::RESIZABLE;
        let table = [
            (all, snapshot, fixed - Rights::EXECUTE),
            (all, snapshot | resizable, all - Rights::EXECUTE),
            (all, snapshot | no_write, fixed - Rights::WRITE),
            (all, slice, fixed),
            (all, slice | no_write, fixed - Rights::WRITE),
            (all, reference, fixed),
            (all, reference | resizable, all),
            (poor, snapshot, poor | Rights::WRITE | Rights::PROPERTY),
            (poor, slice, poor | Rights::PROPERTY),
        ];
        for (rights, options, expected) in table {
            assert_eq!(
                child_rights(rights, options),
                expected,
                "{rights:?} {options:?}"
            );
        }
    }
}
