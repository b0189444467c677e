"""Every kind of job."""

from operators.desired.evaluation import EvaluationJob
from operators.desired.training import TrainingJob

AnyJob = TrainingJob | EvaluationJob
