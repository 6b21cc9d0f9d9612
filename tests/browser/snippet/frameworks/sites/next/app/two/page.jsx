import { Shop } from "../shop.jsx";

export default function Two() {
  return <Shop />;
}
