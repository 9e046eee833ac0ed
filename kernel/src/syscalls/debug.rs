//! The console, for programs. Reading it and commands need a resource that covers DEBUG.

use core::str;

use syscall::kernel::{UserIn, UserOut};
use syscall::{HandleValue, Result, Rights, Status, SystemResource};

use super::caller;
use super::user_memory::{range, read_bytes, write, write_bytes};
use crate::object::Resource;
use crate::{console, monitor, sched};

/// Bytes that are copied at a time.
const CHUNK_BYTES: usize = 256;

/// The longest monitor command.
const COMMAND_BYTES: usize = 256;

/// Writes a buffer to the console. Others have their turns meanwhile, and it ends early with the thread.
///
/// # Errors
/// - `INVALID_ARGS`: the buffer cannot be read; what came before the bad page has been written.
/// - `CANCELED`: the thread is to end; what came before has been written.
pub fn write_console(buffer: UserIn<u8>, size: usize) -> Result<()> {
    // The whole claim is checked first, so that an impossible one writes nothing.
    range(buffer.address(), size)?;
    let mut chunk = [0; CHUNK_BYTES];
    let mut done = 0;
    while done < size {
        let part = &mut chunk[..CHUNK_BYTES.min(size - done)];
        let address = buffer
            .address()
            .checked_add(done)
            .ok_or(Status::INVALID_ARGS)?;
        read_bytes(UserIn::new(address), part)?;
        console::write(part);
        done += part.len();
        sched::pause().map_err(|_| Status::CANCELED)?;
    }
    Ok(())
}

/// Waits for console input and copies what is there; zero bytes mean that it has ended.
///
/// # Errors
/// Those of the resource; `INVALID_ARGS` for a bad pointer, and then the input is lost.
pub fn read(
    resource: HandleValue,
    buffer: UserOut<u8>,
    size: usize,
    actual: UserOut<usize>,
) -> Result<()> {
    check_resource(resource)?;
    range(buffer.address(), size)?;
    let mut bytes = [0; CHUNK_BYTES];
    let wanted = CHUNK_BYTES.min(size);
    let count = console::read(&mut bytes[..wanted]).map_err(|_| Status::CANCELED)?;
    write_bytes(buffer.address(), &bytes[..count])?;
    write(actual, &count)
}

/// Gives a line to the monitor and waits until it has been carried out.
///
/// # Errors
/// Those of the resource; `INVALID_ARGS` for a bad buffer or one that is not text;
/// `OUT_OF_RANGE` for a line that is too long; what the monitor says.
pub fn send_command(resource: HandleValue, buffer: UserIn<u8>, size: usize) -> Result<()> {
    check_resource(resource)?;
    let mut bytes = [0; COMMAND_BYTES];
    let line = bytes.get_mut(..size).ok_or(Status::OUT_OF_RANGE)?;
    read_bytes(buffer, line)?;
    monitor::execute(str::from_utf8(line).map_err(|_| Status::INVALID_ARGS)?)
}

fn check_resource(value: HandleValue) -> Result<()> {
    let (resource, _) = caller().object::<Resource>(value, Rights::NONE)?;
    resource.check_system(SystemResource::Debug)
}
