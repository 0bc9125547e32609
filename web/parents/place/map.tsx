// The way to a map application, after the sentence that it will learn this place.
import { useState } from "preact/hooks";
import type { Place } from "../../shared/api-types.ts";
import { Button } from "../../shared/ui/parts.tsx";
import { Icon } from "../../shared/ui/icon.tsx";
import { t } from "../../shared/words.ts";
import { isIos } from "../begun.ts";
import { mapAddress } from "./address.ts";

export function MapLink({ place, kind, accuracy_m }: { place: Place; kind: "amap" | "geo"; accuracy_m: number | null }) {
  const [isCopied, setCopied] = useState(false);
  const text = `${place.lat.toFixed(5)}, ${place.lon.toFixed(5)}`;
  return (
    <div class="card stack">
      {accuracy_m !== null && <p>{t("place.within", { n: Math.round(accuracy_m) })}</p>}
      <p>{t("place.map_learns")}</p>
      <a class="button" href={mapAddress(place, kind, isIos())} target="_blank" rel="noreferrer noopener">
        <Icon name="place" />
        <span>{t("place.open_map")}</span>
      </a>
      <Button kind="quiet" onClick={() => void navigator.clipboard?.writeText(text).then(() => setCopied(true))}>
        {isCopied ? t("inapp.copied") : t("place.copy", { at: text })}
      </Button>
    </div>
  );
}
