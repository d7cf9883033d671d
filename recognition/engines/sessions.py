"""onnxruntime as every engine here uses it: on the CPU, one thread.

Parallel work comes from processes: a second thread in each would only make them wait for
one another's cores.
"""

from typing import Any

import cv2


def session_of(model: bytes) -> Any:
    """An ``onnxruntime.InferenceSession`` of an ONNX model. Raises what onnxruntime raises."""
    import onnxruntime

    # OpenCV prepares what the session is given; by itself it takes every core there is.
    cv2.setNumThreads(1)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
