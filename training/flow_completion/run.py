"""What `ptfan train-flow` trains: the flow completion network."""

from __future__ import annotations

from ptfan.training.flow_completion.config import FlowTrainConfig
from ptfan.training.flow_completion.data import FlowDataset
from ptfan.training.flow_completion.learner import FlowLearner
from ptfan.training.helpers.subject import HelperSubject
from ptfan.training.model.flow_completer import FlowCompleter

__all__ = ["FlowSubject"]


class FlowSubject(HelperSubject[FlowTrainConfig]):
    """The flow completion network, on the flow of clips with holes."""

    config = FlowTrainConfig
    network = FlowCompleter
    learns = FlowLearner
    dataset = FlowDataset
