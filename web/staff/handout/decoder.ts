// Reads codes from pictures where the browser cannot: ZXing, compiled, fetched when the camera is opened.
import { prepareZXingModule, readBarcodes } from "zxing-wasm/reader";

const FILE = "zxing_reader.wasm";

prepareZXingModule({
  overrides: { locateFile: (name: string) => (name.endsWith(".wasm") ? (document.querySelector('meta[name="decoder"]')?.getAttribute("content") ?? `/web/${FILE}`) : name) },
});

/** The same shape as the browser's own detector. */
export class Decoder {
  private readonly canvas = document.createElement("canvas");

  async detect(video: HTMLVideoElement): Promise<Array<{ rawValue: string }>> {
    this.canvas.width = video.videoWidth;
    this.canvas.height = video.videoHeight;
    const drawing = this.canvas.getContext("2d", { willReadFrequently: true });
    if (!drawing || !video.videoWidth) return [];
    drawing.drawImage(video, 0, 0);
    const picture = drawing.getImageData(0, 0, this.canvas.width, this.canvas.height);
    const found = await readBarcodes(picture, { formats: ["QRCode", "Code128"], tryHarder: true, maxNumberOfSymbols: 1 });
    return found.filter((one) => one.isValid).map((one) => ({ rawValue: one.text }));
  }
}
