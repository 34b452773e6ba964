import pytest
import torch
import torch.nn.functional as F

from ptfan.training.model import Generator, preset
from ptfan.training.model.align import MotionPyramid
from ptfan.training.model.decoder import PaperDecoder, blurred
from ptfan.training.model.encoder import Features
from ptfan.training.model.timeline import ClipTimeline


def test_the_papers_decoder_equals_the_published_order(make_generator, make_clip, tiny_paper):
    """Enlarge first, convolve then, add the skips at the larger size: as the paper draws it."""
    decoder = make_generator(tiny_paper).decoder
    assert isinstance(decoder, PaperDecoder)
    torch.manual_seed(0)
    c1, c2, c4, c8 = (torch.randn(3, 32, *size) for size in ((4, 6), (2, 3), (2, 3), (2, 3)))
    motion = MotionPyramid.build(*list(make_clip(3, 16, 24).values())[3:])
    time = ClipTimeline(motion, tiny_paper.temporal_layers)

    def enlarge(x, factor):
        return F.interpolate(x, scale_factor=factor, mode="nearest")

    with torch.no_grad():
        skip2 = enlarge(decoder.skip2(c2, time), 4)
        skip4 = enlarge(decoder.skip4(c4, time), 2)
        y = decoder.mix1(decoder.reduce1(enlarge(c8, 2)) + skip4, time)
        y = decoder.mix2(decoder.reduce2(enlarge(y, 2)) + skip2, time)
        y = decoder.head(decoder.reduce3(enlarge(y, 2)) + enlarge(c1, 4), time)
        parts = decoder(Features(torch.empty(0), c1, c2, c4, c8), torch.empty(0), time)
    torch.testing.assert_close(parts.fill, y, atol=1e-5, rtol=1e-5)


def test_the_skips_stand_beside_the_encoder_s_layers():
    """PTFAN's conv_c2 is the 8th temporal layer on its path, conv_c4 the 14th, conv9 to conv11 the last three of 19."""
    with torch.device("meta"):
        paper, light = Generator(preset("r50")).decoder, Generator(preset("s")).decoder
    names = ("skip2", "skip4", "mix1", "mix2", "head")
    assert [getattr(paper, name).place.depth for name in names] == [8, 14, 17, 18, 19]
    assert [getattr(paper, name).place.size for name in names] == [8, 8, 4, 2, 1]
    assert [getattr(light, name).place.depth for name in ("skip4", "mix1", "mix2")] == [8, 10, 11]


def test_blurred_is_flat_on_flat_frames_and_keeps_the_mean():
    flat = torch.full((1, 3, 16, 24), 0.3)
    torch.testing.assert_close(blurred(flat), flat)
    noise = torch.rand(2, 3, 32, 40)
    assert blurred(noise).shape == noise.shape
    assert blurred(noise).std() < 0.2 * noise.std()
    torch.testing.assert_close(blurred(noise).mean(), noise.mean(), atol=0.01, rtol=0)


def test_a_fresh_light_decoder_is_undecided_and_near_the_blurred_frames(make_clip):
    torch.manual_seed(0)
    generator, clip = Generator(preset("s")), make_clip(2, 32, 32)
    with torch.no_grad():
        parts = generator.forward_parts(*clip.values())
    assert parts.blend_logit is not None
    assert (torch.sigmoid(parts.blend_logit) - 0.5).abs().mean() < 0.1
    assert (parts.own - blurred(clip["frames"])).abs().mean() < 0.2


@pytest.mark.parametrize(("logit", "which"), [(40.0, "frames"), (-40.0, "own")])
def test_a_decided_blend_takes_one_side(logit, which, make_generator, make_clip):
    generator, clip = make_generator(preset("s")), make_clip(2, 16, 16)
    with torch.no_grad():
        generator.decoder.head.bias[12:] = logit  # after the pixel shuffle's twelve of the picture
        parts = generator.forward_parts(*clip.values())
    torch.testing.assert_close(parts.fill, clip["frames"] if which == "frames" else parts.own)


def test_no_layer_of_the_light_decoder_is_at_full_size(make_generator, make_clip):
    """The network that is shipped keeps its temporal layers, and all convolutions, below full size."""
    generator, sizes = make_generator(preset("s")), []
    for module in generator.modules():
        if isinstance(module, torch.nn.Conv2d):
            module.register_forward_hook(lambda _, __, out: sizes.append(out.shape[-1]))
    with torch.no_grad():
        generator(*make_clip(2, 16, 32).values())
    assert max(sizes) == 16
