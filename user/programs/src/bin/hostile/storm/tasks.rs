//! One row per system call on processes and jobs. The statuses are those that `docs/spec/` documents for it.

use syscall::SystemCall;
use zx::Status;

use super::arguments::{memory, task};
use super::{Answer, Effect, Kind, kind, refusals};

/// Every call on processes and jobs but those that end the caller.
pub const KINDS: &[Kind] = &[
    kind!(
        process_create,
        Effect::MakesProcess(4, 5),
        Answer::Status(refusals![ACCESS_DENIED, INVALID_ARGS, BAD_STATE, NO_MEMORY]),
        |picker| {
            let options = if picker.random.once_in(8) {
                picker.random.next() as u32
            } else {
                picker.random.below(2) as u32
            };
            let name = [picker.buffer(), picker.length()];
            let mut outs = [picker.buffer(), picker.buffer()];
            if outs[0].abs_diff(outs[1]) < size_of::<u32>() {
                // One value would be written over the other, and nobody could close that handle.
                outs[1] = 0;
            }
            [
                task(picker),
                name[0],
                name[1],
                picker.narrow(options),
                outs[0],
                outs[1],
                0,
                0,
            ]
        }
    ),
    kind!(process_read_memory, Effect::None, MEMORY, memory),
    kind!(process_write_memory, Effect::None, MEMORY, memory),
    kind!(
        task_kill,
        Effect::None,
        Answer::Status(refusals![ACCESS_DENIED]),
        |picker| [task(picker), 0, 0, 0, 0, 0, 0, 0]
    ),
];

/// What copies out of and into processes answer.
const MEMORY: Answer = Answer::Status(refusals![
    INVALID_ARGS,
    ACCESS_DENIED,
    BAD_STATE,
    NOT_FOUND,
    OUT_OF_RANGE,
    NO_MEMORY
]);
