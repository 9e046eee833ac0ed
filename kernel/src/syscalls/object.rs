//! Properties of objects. Source: `docs/spec/objects.md` §7.

use syscall::kernel::{UserIn, UserOut};
use syscall::{HandleValue, Name, ObjectType, Property, Result, Rights, Status};

use super::user_memory::{read_bytes, write_bytes};
use super::{caller, vmo};
use crate::handle::require;
use crate::object::KernelObject;

/// Reads a property.
///
/// # Errors
/// As the table of `docs/spec/objects.md` §7, in its order.
pub fn get_property(
    value: HandleValue,
    property: Property,
    out: UserOut<u8>,
    size: usize,
) -> Result<()> {
    let (object, held) = caller().any_object(value)?;
    require(held, Rights::GET_PROPERTY)?;
    match property {
        Property::NAME => {
            check_size(size, Name::CAPACITY)?;
            let name = object.name().ok_or(Status::WRONG_TYPE)?;
            write_bytes(out.address(), &name.into_raw())
        }
        Property::VMO_CONTENT_SIZE => {
            check_size(size, size_of::<u64>())?;
            let stream_size = match &object {
                KernelObject::Vmo(vmo) => vmo.vmo().stream_size(),
                _ => return Err(Status::WRONG_TYPE),
            };
            write_bytes(out.address(), &stream_size.to_le_bytes())
        }
        _ => Err(unavailable(&object, property)),
    }
}

/// Changes a property.
///
/// # Errors
/// As the table of `docs/spec/objects.md` §7, in its order.
pub fn set_property(
    value: HandleValue,
    property: Property,
    from: UserIn<u8>,
    size: usize,
) -> Result<()> {
    let (object, held) = caller().any_object(value)?;
    require(held, Rights::SET_PROPERTY)?;
    match property {
        Property::NAME => {
            let mut bytes = [0; Name::MAX_LEN];
            let kept = size.min(Name::MAX_LEN);
            let bytes = &mut bytes[..kept];
            read_bytes(from, bytes)?;
            let name = Name::from_bytes_lossy(bytes);
            object.set_name(name).ok_or(Status::WRONG_TYPE)
        }
        Property::VMO_CONTENT_SIZE => {
            let KernelObject::Vmo(vmo) = &object else {
                return Err(Status::WRONG_TYPE);
            };
            require(held, Rights::WRITE)?;
            let mut bytes = [0; size_of::<u64>()];
            check_size(size, bytes.len())?;
            read_bytes(from, &mut bytes)?;
            vmo::change_stream_size(vmo, u64::from_le_bytes(bytes))
        }
        _ => Err(unavailable(&object, property)),
    }
}

fn check_size(given: usize, needed: usize) -> Result<()> {
    if given < needed {
        Err(Status::BUFFER_TOO_SMALL)
    } else {
        Ok(())
    }
}

/// Why a property cannot be had: it belongs to another type of object, or to none here.
fn unavailable(object: &KernelObject, property: Property) -> Status {
    let owner = match property {
        Property::REGISTER_GS | Property::REGISTER_FS => ObjectType::THREAD,
        Property::PROCESS_DEBUG_ADDR
        | Property::PROCESS_VDSO_BASE_ADDRESS
        | Property::PROCESS_BREAK_ON_LOAD => ObjectType::PROCESS,
        _ => return Status::NOT_SUPPORTED,
    };
    if object.object_type() == owner {
        Status::NOT_SUPPORTED
    } else {
        Status::WRONG_TYPE
    }
}
