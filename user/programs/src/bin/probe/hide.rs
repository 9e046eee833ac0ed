//! Makes the program's own code execute-only, where the machine can do that, and goes on in it.

use core::hint::black_box;

use zx::{AsHandleRef, Status, VmFeatureFlags, VmarFlags, Vmo, sys, system_get_feature_flags};

/// The codes of `hide ask`: what the kernel does is not what the machine is said to be able to.
const READ_FOR_THE_PROGRAM: i64 = 1;
const NOT_READ_FOR_THE_PROGRAM: i64 = 2;

/// Hides the code and then does what `deed` names; `None` if there is no such deed.
///
/// Ends with the status that stopped it, with 0 if all is as it must be, or not at all.
pub fn act(deed: &str) -> Option<i64> {
    let act = match deed {
        "run" => || Ok(0),
        "ask" => ask,
        "read" => read,
        _ => return None,
    };
    let code = hide().and_then(|()| act());
    Some(code.unwrap_or_else(|status| i64::from(status.into_raw())))
}

/// An address in the program's code.
fn in_code() -> usize {
    black_box(act as fn(&str) -> Option<i64>) as usize
}

/// Takes reading away from all of the code.
fn hide() -> Result<(), Status> {
    let root = rt::vmar_root_self();
    let records = root.info_maps_vec()?;
    let code = records.iter().find(|record| {
        let range = record.base..record.base + record.size;
        record.as_mapping().is_some() && range.contains(&in_code())
    });
    let code = code.ok_or(Status::NOT_FOUND)?;
    let flags = VmarFlags::PERM_EXECUTE | VmarFlags::PERM_READ_IF_XOM_UNSUPPORTED;
    // SAFETY: nothing reads the code: constants and tables are in a segment of their own.
    unsafe { root.protect(code.base, code.size, flags) }
}

/// Has the kernel read the code for the program.
fn ask() -> Result<i64, Status> {
    let scratch = Vmo::create(8)?;
    let code = in_code() as *const u8;
    // SAFETY: the call only reads, from where the kernel finds that it can.
    let raw = unsafe { sys::zx_vmo_write(scratch.raw_handle(), code, 0, 8) };
    let features = system_get_feature_flags::<VmFeatureFlags>()?;
    let is_hidden = features.contains(VmFeatureFlags::VM_FEATURE_CAN_MAP_XOM);
    Ok(match (is_hidden, Status::from_raw(raw)) {
        (true, Status::NOT_FOUND) | (false, Status::OK) => 0,
        (true, Status::OK) => READ_FOR_THE_PROGRAM,
        (false, Status::NOT_FOUND) => NOT_READ_FOR_THE_PROGRAM,
        (_, other) => i64::from(other.into_raw()),
    })
}

/// Reads the code.
fn read() -> Result<i64, Status> {
    // SAFETY: whatever is there may be read, or the program ends, which is what is tried.
    black_box(unsafe { (in_code() as *const u8).read_volatile() });
    Ok(0)
}
