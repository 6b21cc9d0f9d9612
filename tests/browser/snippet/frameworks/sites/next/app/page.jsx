import { Shop } from "./shop.jsx";

export default function Home() {
  return <Shop />;
}
